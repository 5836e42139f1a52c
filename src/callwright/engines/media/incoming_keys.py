"""Incoming keys: what one far end presses, by whatever means, told once and sent on."""

from callwright.engines.media.dtmf import KeyReceiver, is_key
from callwright.engines.media.key_presses import KeyPresses, Means
from callwright.engines.media.sender import Post, Sender
from callwright.engines.port import DtmfReceived, LegId


class IncomingKeys:
    __slots__ = (
        "_event_begins",
        "_events_to",
        "_leg",
        "_post",
        "_presses",
        "_receiver",
        "_sender",
        "to",
    )

    def __init__(self, leg: LegId, sender: Sender, post: Post) -> None:
        """``sender``: of the leg itself."""
        self._leg = leg
        self._sender = sender
        self._post = post
        self._receiver = KeyReceiver()
        self._presses = KeyPresses()
        self.to: Sender | None = None
        "Of the leg that gets the keys."
        self._events_to: Sender | None = None
        "To whom the event that is coming in is sent on, packet for packet."
        self._event_begins = False
        "Nothing of it has been sent on yet."

    def use_clock(self, clock: int) -> None:
        """``clock``: units a second of the audio."""
        self._receiver = KeyReceiver(clock)

    def event_came(
        self, payload: bytes, marked: bool, timestamp: int, ssrc: int, newest: bool, now: float
    ) -> None:
        """Take a telephone-event packet."""
        if not is_key(payload):
            return
        ear = self.to
        if key := self._receiver.take(ssrc, timestamp, marked, payload):
            self._events_to = None
            if self._presses.is_new(key, Means.EVENT, now):
                self._post(DtmfReceived(self._leg, key))
                if ear is not None and ear.takes_events_of(self._sender):
                    self._events_to, self._event_begins = ear, True
                elif ear is not None:
                    # It has another clock or no telephone-events, or hears more than us.
                    ear.press(key, announced=False)
        else:
            self._presses.goes_on(now)
        if ear is None or ear is not self._events_to or not ear.takes_events_of(self._sender):
            return  # a key is for whoever hears its beginning
        if newest:
            ear.relay_event(payload, timestamp, ssrc, now, begins=self._event_begins)
            self._event_begins = False

    def sounded(self, key: str, now: float) -> None:
        """Take a key that was heard in the audio."""
        if self._presses.is_new(key, Means.TONE, now):
            self._post(DtmfReceived(self._leg, key))

    def named(self, key: str, now: float) -> None:
        """Take a key that the far end has named by the signalling."""
        if self._presses.is_new(key, Means.INFO, now):
            self._post(DtmfReceived(self._leg, key))
            if self.to is not None:
                self.to.press(key, announced=False)
