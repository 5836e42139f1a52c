"""A far end by hand, for what no phone can be told: to refuse as it likes, to press by tones."""

import array
import asyncio
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import sipmessage

from callwright.engines.media.codec import PCMA
from callwright.engines.media.g711 import Law
from callwright.engines.media.rtp import Packet
from callwright.engines.media.tones import tone_frames
from callwright.engines.simulated.far_end import Act, Answers, SendsEarlyMedia
from demo.phones import Events, Fact, Key, Recording, phone, wav
from tests.engines.media import ears
from tests.engines.media import phones as media
from tests.engines.media.desk import EVENT
from tests.engines.sip import phone as sip


class ByHand:
    """See `demo.phones.phone.Phone`: has one call, and telephone-events if it is told so."""

    program = "by hand"
    keys: Sequence[Key] = ()

    def __init__(
        self,
        folder: Path,
        acts: Sequence[tuple[float, Act]] = (),
        *,
        number: str = "25",
        says: int = 0,
        early_tone: int = 0,
        events: bool = False,
    ) -> None:
        """``acts``: each so many seconds after the one before. The tones are in Hz."""
        self.events = Events()
        self._folder = folder
        self._number = number
        self._says, self._early_tone = says, early_tone
        self._voice = media.Phone(0, dtmf=None)
        self._signalling = _Signalling(acts, self._talk, events=events)

    @property
    def uri(self) -> str:
        return self._signalling.uri

    @property
    def heard(self) -> Recording | None:
        return phone.heard(self.events)

    async def start(self) -> None:
        await self._voice.__aenter__()
        await self._signalling.__aenter__()
        self._signalling.offer_audio_at(self._voice.address[1])

    async def stop(self) -> None:
        await self._signalling.__aexit__(None, None, None)
        await self._voice.__aexit__()

    async def call(self, uri: str) -> None:
        called, _, place = uri.removeprefix("sip:").partition("@")
        host, _, port = place.partition(":")
        self._signalling.call((host, int(port)), caller=self._number, called=called)

    async def press(self, key: str) -> None:
        """Sound a key in the middle of what is said."""
        voice = self._voice
        voice.hush()
        for frame in tone_frames(key, PCMA):
            voice.send(Packet(PCMA.payload_type, voice.sequence, voice.timestamp, 5, frame))
            voice.sequence += 1
            voice.timestamp += PCMA.frame
            await asyncio.sleep(0.02)
        voice.talk_on()

    async def press_with_pause(self, key: int, pause: float) -> None:
        """Say a key as Twinkle does: its beginning, for so many seconds nothing, and its end."""
        voice = self._voice
        voice.hush()
        beginning, length = voice.timestamp, round(pause * 8000)
        for end, duration in ((0, PCMA.frame), *[(0x80, length)] * 3):
            payload = bytes([key, end | 10]) + duration.to_bytes(2)
            first = not end
            voice.send(Packet(EVENT, voice.sequence, beginning, 5, payload, first))
            voice.sequence += 1
            if first:
                await asyncio.sleep(pause)
        voice.timestamp = beginning + length
        voice.talk_on()

    async def hang_up(self) -> None:
        """End the call it has made; its recording is told of at once."""
        self._signalling.hang_up()
        path = self._folder / "heard-by-hand.wav"
        coded = b"".join(packet.payload for packet in self._voice.packets)
        wav.write(path, array.array("h", ears.heard(Law.A, coded).tobytes()), wav.RATE)
        self.events.tell(Fact.now("recorded", path=str(path)))

    def _talk(self, answered: bool, sdp: str) -> None:
        """Say what is to be said now, to whom the far end's SDP says."""
        if answered:
            self.events.tell(Fact.now("answered"))
        self._voice.hertz = self._says if answered else self._early_tone
        self._voice.hush()
        host, port = re.search(r"c=IN IP4 (\S+)", sdp), re.search(r"m=audio (\d+)", sdp)
        assert host
        assert port
        self._voice.talk((host[1], int(port[1])))


class _Signalling(sip.Phone):
    """Its SIP, which says when there is somebody to talk to."""

    def __init__(
        self,
        acts: Sequence[tuple[float, Act]],
        talk: Callable[[bool, str], None],
        *,
        events: bool,
    ) -> None:
        super().__init__(acts)
        self._talk = talk
        self._events = events

    def offer_audio_at(self, port: int) -> None:
        """Offer G.711 there, and nothing else but telephone-events, if it has them."""
        offer = sip.SDP
        if not self._events:
            offer = offer.partition("a=rtpmap")[0].replace(" 101", "")
        self.sdp = offer.format(kind="IP4", host=self.host, port=port)

    def hang_up(self) -> None:
        self._ask_as_caller("BYE")

    def _act(self, act: Act) -> None:
        super()._act(act)
        if isinstance(act, Answers | SendsEarlyMedia):
            assert self._invite
            self._talk(isinstance(act, Answers), self._invite.body.decode())

    def _answered_by(self, response: sipmessage.Response) -> None:
        first = not self._answered
        super()._answered_by(response)
        if first and self._answered:
            self._talk(True, response.body.decode())
