"""DTMF send queue: keys that one leg is to be sent, one after another, in steps of 20 ms.

As telephone-events where the far end has agreed to them, else as tones.
"""

import logging
from collections.abc import Callable

from callwright.engines.media.codec import PCMA, Codec
from callwright.engines.media.dtmf import event_payloads
from callwright.engines.media.media import KeyForwarded
from callwright.engines.media.tones import tone_frames
from callwright.engines.port import DtmfFailed, DtmfSent, LegId

log = logging.getLogger(__name__)

KEYS_WAITING = 256
"Keys that may wait on one leg; more are dropped."


class KeyQueue:
    __slots__ = (
        "_frames",
        "_keys",
        "_leg",
        "_post",
        "busy",
        "by_info",
        "event_clock",
        "event_type",
        "payload_type",
        "timestamp",
    )

    def __init__(
        self, leg: LegId, post: Callable[[DtmfSent | DtmfFailed | KeyForwarded], None]
    ) -> None:
        self._leg = leg
        self._post = post
        # Lists, which are small when they are empty, and they nearly always are.
        self._keys: list[tuple[str, bool]] = []
        self._frames: list[bytes | None] = []
        "What is left of the key being sent."
        self.busy = False
        "A key is being sent, or waits."
        self.event_type: int | None = None
        "Payload type of telephone-events, as agreed on; None: there are none."
        self.event_clock = PCMA.clock
        self.by_info = False
        "Keys of a bridged far end go by the signalling."
        self.payload_type: int | None = None
        "That of the key being sent; None: it is sent as tones."
        self.timestamp = 0
        "All telephone-event packets of a key have the timestamp of its beginning."

    @property
    def between_keys(self) -> bool:
        """Whether the next step begins a key."""
        return not self._frames

    @property
    def begins_event(self) -> bool:
        """Whether the next step is the first of a telephone-event.

        It takes none of the stream's time, so it need not wait for a stream that is ahead of it.
        """
        return self.busy and not self._frames and self.event_type is not None

    def press(self, key: str, *, announced: bool) -> None:
        """Send a key after those that are waiting; ``announced`` ones are told by `DtmfSent`.

        The others are those of a bridged far end.
        """
        if self.by_info and not announced:
            self._post(KeyForwarded(self._leg, key))
            return
        if len(self._keys) >= KEYS_WAITING:
            log.warning("leg %d: too many keys waiting, one is dropped", self._leg)
            if announced:
                self._post(DtmfFailed(self._leg, key, "too many keys wait to be sent"))
            return
        self._keys.append((key, announced))
        self.busy = True

    def cut(self) -> None:
        """Leave out what is left of the key being sent: the stream it was in is over."""
        self._frames.clear()
        self.busy = bool(self._keys)

    def step(self, codec: Codec, timestamp: int) -> bytes | None:
        """Return the next 20 ms, which go out at ``timestamp``; None: a pause. Only while busy."""
        if not self._frames:
            self._begin(codec, timestamp)
        payload = self._frames.pop(0)
        if not self._frames:
            self.busy = bool(self._keys)
        return payload

    def _begin(self, codec: Codec, timestamp: int) -> None:
        key, announced = self._keys.pop(0)
        self.payload_type = self.event_type
        self.timestamp = timestamp
        if self.payload_type is None:
            self._frames.extend(tone_frames(key, codec))
        else:
            self._frames.extend(event_payloads(key, self.event_clock))
        if announced:
            self._post(DtmfSent(self._leg, key))
