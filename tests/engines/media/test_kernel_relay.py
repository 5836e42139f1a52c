"""Talks in the kernel: the far ends cannot tell when they are, whatever happens in the call."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import wraps
from itertools import pairwise
from pathlib import Path
from typing import ParamSpec

import pytest

from callwright.engines.media.engine import RtpEngine
from callwright.engines.media.kernel.relay import KernelRelay
from callwright.engines.media.media import MediaEvent, MediaLost, RtpStream
from callwright.engines.media.packet_loop import PacketLoop
from callwright.engines.port import BridgeId, CoachMode, DtmfReceived, LegId, RecordingId
from tests.namespaces import Host, service_and_phones
from tests.peers import CHECKOUT
from tests.waiting import WITHIN

from .counted import EVENTS, FRAME, PCMA, CountingPhone

pytestmark = [pytest.mark.kernel_relay, pytest.mark.realtime]

Told = ParamSpec("Told")
A, B, C = LegId(1), LegId(2), LegId(3)
TALK = BridgeId(1)


def in_real_time(
    story: Callable[Told, Coroutine[object, object, None]],
) -> Callable[Told, None]:
    @wraps(story)
    def test(*args: Told.args, **kwargs: Told.kwargs) -> None:
        with asyncio.Runner(loop_factory=PacketLoop) as runner:
            runner.run(story(*args, **kwargs))

    return test


class Exchange:
    """An engine on a host, and phones on hosts of their own, which talk to it."""

    def __init__(
        self, engine: RtpEngine, kernel: KernelRelay, phones: Sequence[CountingPhone]
    ) -> None:
        self.engine = engine
        self.kernel = kernel
        self.phones = phones
        self.events: list[MediaEvent] = []

    def stream(self, leg: LegId) -> RtpStream:
        remote = self.phones[leg - 1].address
        return RtpStream(remote, "PCMA", PCMA, EVENTS)

    def reconnect(self, leg: LegId, *, sends: bool = True) -> None:
        self.engine.connect(leg, replace(self.stream(leg), sends=sends))

    async def in_kernel(self, streams: int = 2) -> None:
        """Wait until the kernel relays so many streams, and has relayed some packets of each."""
        await self.phones[0].until(
            lambda: self.engine.relayed_by_kernel == streams and self.kernel.relayed >= 10 * streams
        )


@asynccontextmanager
async def exchange(phones: int, host: str = "0.0.0.0") -> AsyncIterator[Exchange]:
    """Phones whose legs are open and connected, and who talk."""
    with service_and_phones(phones) as (service, hosts), service.entered():
        kernel = KernelRelay()
        engine = RtpEngine(host, None, (20000, 20019), lost_after=2.0, kernel=kernel)
        made = [
            CountingPhone(each, f"10.9.{number}.2", ssrc=number)
            for number, each in enumerate(hosts, 1)
        ]
        them = Exchange(engine, kernel, made)
        running = asyncio.create_task(engine.run(them.events.append))
        try:
            await asyncio.sleep(0)
            for number, phone in enumerate(made, 1):
                leg = LegId(number)
                _, port = engine.open(leg)
                engine.connect(leg, them.stream(leg))
                engine.answered(leg)
                phone.talk((f"10.9.{number}.1" if host == "0.0.0.0" else host, port))
            yield them
        finally:
            running.cancel()
            await asyncio.wait({running})
            for phone in made:
                await phone.hang_up()


def is_one_stream(phone: CountingPhone) -> bool:
    """Whether what was heard is one stream without loss, repetition or disorder."""
    heard = phone.heard
    numbered = all((then.sequence - each.sequence) & 0xFFFF == 1 for each, then in pairwise(heard))
    audio = [each for each in heard if each.payload_type == PCMA]
    timed = all(
        0 < (then.timestamp - each.timestamp) & 0xFFFFFFFF < 50 * FRAME
        for each, then in pairwise(audio)
    )
    return numbered and timed and len({each.ssrc for each in heard}) == 1


def is_whole(numbers: list[int]) -> bool:
    return numbers == list(range(numbers[0], numbers[-1] + 1))


@pytest.mark.parametrize("host", ["0.0.0.0", "10.9.1.1"])
@in_real_time
async def test_a_talk_is_relayed_by_the_kernel_without_a_seam(host: str) -> None:
    async with exchange(2, host) as them:
        one, other = them.phones
        them.engine.bridge(TALK, A, B)
        await them.in_kernel()
        relayed = them.kernel.relayed
        await other.hears(one, 50)
        assert them.kernel.relayed - relayed >= 90
        sent = one.sent
        await other.until(lambda: other.numbers_of(one)[-1] >= sent)
        for phone, speaker in ((one, other), (other, one)):
            assert is_one_stream(phone)
            assert is_whole(phone.numbers_of(speaker))
        quality = them.engine.close(A)
        assert quality.received >= sent - 1
        assert quality.lost == 0
        assert quality.sent == len(one.heard)
        assert quality.jitter < 0.02
        assert them.engine.relayed_by_kernel == 0


async def walked(them: Exchange, what: Callable[[], object], back: Callable[[], object]) -> None:
    """Let something happen in a talk that the kernel relays, and be over."""
    one, other = them.phones[:2]
    await them.in_kernel()
    what()
    assert them.engine.relayed_by_kernel == 0
    await one.until(lambda: len(one.heard) > 0)
    begun = one.sent
    await asyncio.gather(*(_later(phone) for phone in (one, other)))
    assert one.sent > begun
    back()


async def _later(phone: CountingPhone) -> None:
    heard = len(phone.heard)
    await phone.until(lambda: len(phone.heard) >= heard + 10)


def wrong_sums(host: Host) -> int:
    """UDP packets that have come to a host with a checksum that is wrong."""
    with host.entered():
        counted = Path("/proc/thread-self/net/snmp").read_text("ascii").splitlines()
    names, values = (line.split() for line in counted if line.startswith("Udp: "))
    return int(values[names.index("InCsumErrors")])


@in_real_time
async def test_checksums_that_are_there_are_right_afterwards() -> None:
    async with exchange(2) as them:
        one, other = them.phones
        for number, phone in enumerate((one, other), 1):
            phone.host.sum_by_itself(f"far{number}")
        them.engine.bridge(TALK, A, B)
        await them.in_kernel()
        await one.hears(other, 20)
        await other.hears(one, 20)
        assert is_one_stream(one)
        assert is_one_stream(other)
        assert wrong_sums(other.host) == 0


@in_real_time
async def test_recording_takes_the_talk_out_of_the_kernel(tmp_path: Path) -> None:
    async with exchange(2) as them:
        one, other = them.phones
        them.engine.bridge(TALK, A, B)
        recording = RecordingId(1)
        await walked(
            them,
            lambda: them.engine.record(recording, A, B, tmp_path / "talk.wav"),
            lambda: them.engine.stop_recording(recording),
        )
        await them.in_kernel()
        for phone, speaker in ((one, other), (other, one)):
            assert is_one_stream(phone)
            assert is_whole(phone.numbers_of(speaker))


@in_real_time
async def test_a_coach_takes_the_talk_out_of_the_kernel() -> None:
    async with exchange(3) as them:
        one, other, _ = them.phones
        them.engine.bridge(TALK, A, B)
        await walked(
            them,
            lambda: them.engine.coach(C, A, CoachMode.WHISPER),
            lambda: them.engine.stop_coaching(C),
        )
        await them.in_kernel()
        assert is_one_stream(one)
        assert is_one_stream(other)
        assert is_whole(other.numbers_of(one))


@in_real_time
async def test_a_key_takes_its_way_in_its_order() -> None:
    async with exchange(2) as them:
        one, other = them.phones
        them.engine.bridge(TALK, A, B)
        await them.in_kernel()
        one.press(5)
        await other.until(lambda: any(each.payload_type == EVENTS for each in other.heard))
        assert them.engine.relayed_by_kernel == 1  # the other direction goes on
        await them.in_kernel()
        assert them.events.count(DtmfReceived(A, "5")) == 1
        events = [each for each in other.heard if each.payload_type == EVENTS]
        assert len(events) == 5
        assert len({each.timestamp for each in events}) == 1
        assert [each.marked for each in events] == [True, False, False, False, False]
        assert is_one_stream(other)
        assert is_whole(other.numbers_of(one))
        assert is_whole(one.numbers_of(other))


@in_real_time
async def test_hold_takes_the_talk_out_of_the_kernel() -> None:
    async with exchange(2) as them:
        one, other = them.phones
        them.engine.bridge(TALK, A, B)
        await them.in_kernel()
        them.reconnect(A, sends=False)  # it is sent nothing from now on
        await other.hears(one, 10)
        assert them.engine.relayed_by_kernel == 0
        them.reconnect(A)
        await them.in_kernel()
        assert is_one_stream(one)
        assert is_one_stream(other)
        assert is_whole(other.numbers_of(one))


@in_real_time
async def test_a_muted_party_is_not_relayed() -> None:
    async with exchange(2) as them:
        one, other = them.phones
        them.engine.bridge(TALK, A, B)
        await them.in_kernel()
        them.engine.mute(A, muted=True)
        muted_at = one.sent
        await _later(other)
        assert max(other.numbers_of(one)) <= muted_at
        await one.hears(other, 10)
        them.engine.mute(A, muted=False)
        await them.in_kernel()
        assert is_one_stream(one)
        assert is_one_stream(other)
        assert is_whole(one.numbers_of(other))


@in_real_time
async def test_a_far_end_that_moves_by_its_sdp_is_followed() -> None:
    async with exchange(2) as them:
        one, other = them.phones
        them.engine.bridge(TALK, A, B)
        await them.in_kernel()
        one.move()
        them.reconnect(A)
        assert them.engine.relayed_by_kernel == 0
        await one.hears(other, 10)
        await them.in_kernel()
        assert is_one_stream(other)
        assert is_whole(other.numbers_of(one))


@in_real_time
async def test_a_far_end_that_moves_without_a_word_is_followed() -> None:
    async with exchange(2) as them:
        one, other = them.phones
        them.engine.bridge(TALK, A, B)
        await them.in_kernel()
        one.move()  # as after a change of a NAT's mind
        before = len(one.heard)
        await one.until(lambda: len(one.heard) > before)
        await them.in_kernel()
        assert is_one_stream(other)
        numbers = other.numbers_of(one)
        assert numbers == sorted(set(numbers))


@in_real_time
async def test_a_talk_is_transferred() -> None:
    async with exchange(3) as them:
        one, other, third = them.phones
        them.engine.bridge(TALK, A, B)
        await them.in_kernel()
        them.engine.bridge(BridgeId(2), A, C)
        left_at = one.sent
        await third.hears(one, 10)
        await them.in_kernel()
        assert max(other.numbers_of(one)) <= left_at
        for phone, speaker in ((third, one), (one, third)):
            assert is_whole(phone.numbers_of(speaker))
        for phone in them.phones:
            assert is_one_stream(phone)


@in_real_time
async def test_who_hangs_up_hears_no_more() -> None:
    async with exchange(2) as them:
        one, other = them.phones
        them.engine.bridge(TALK, A, B)
        await them.in_kernel()
        them.engine.close(B)
        heard, hung_up_at = len(other.heard), one.sent
        await _later(one)
        assert len(other.heard) <= heard + 1
        assert not any(number > hung_up_at for number in other.numbers_of(one))
        assert is_one_stream(one)


@in_real_time
async def test_a_far_end_that_falls_silent_is_filled_in_for_and_missed() -> None:
    async with exchange(2) as them:
        one, other = them.phones
        them.engine.bridge(TALK, A, B)
        await them.in_kernel()
        await one.hang_up()
        await other.until(lambda: other.heard[-1].speaker is None)  # silence
        assert them.engine.relayed_by_kernel <= 1
        await other.until(lambda: MediaLost(A) in them.events)
        assert is_one_stream(other)
        assert is_whole(other.numbers_of(one))


@asynccontextmanager
async def relaying_process(
    first: int, one: CountingPhone, other: CountingPhone
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Another service on the same host, which has joined two phones in the kernel."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.engines.media.relaying_process", str(first)),
        *(str(part) for phone in (one, other) for part in phone.address),
        cwd=CHECKOUT,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout
        async with asyncio.timeout(WITHIN):
            for phone in (one, other):
                network = phone.address[0].rpartition(".")[0]
                phone.talk((f"{network}.1", int(await process.stdout.readline())))
            assert await process.stdout.readline() == b"relayed\n"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@in_real_time
async def test_nothing_is_left_of_a_killed_service_and_another_is_not_touched() -> None:
    async with exchange(2) as them:
        one, other = them.phones
        them.engine.bridge(TALK, A, B)
        await them.in_kernel()
        third = CountingPhone(one.host, one.address[0], ssrc=3)
        fourth = CountingPhone(other.host, other.address[0], ssrc=4)
        async with relaying_process(20100, third, fourth) as process:
            await fourth.hears(third, 20)
            process.kill()
            await process.wait()
        killed_at = third.sent
        await other.hears(one, 20)
        assert max(fourth.numbers_of(third)) <= killed_at
        async with relaying_process(20100, third, fourth):
            await fourth.hears(third, 20)
        assert them.engine.relayed_by_kernel == 2
        for phone, speaker in ((one, other), (other, one)):
            assert is_one_stream(phone)
            assert is_whole(phone.numbers_of(speaker))
        await third.hang_up()
        await fourth.hang_up()


@in_real_time
async def test_a_service_that_stands_still_does_not_relay_for_ever() -> None:
    async with exchange(2) as them:
        one, other = them.phones
        async with relaying_process(20100, one, other) as process:
            await other.hears(one, 20)
            process.send_signal(signal.SIGSTOP)
            stopped_at = one.sent
            await one.until(lambda: one.sent >= stopped_at + 5 * 50)
            assert max(other.numbers_of(one)) < stopped_at + 4 * 50
            process.send_signal(signal.SIGCONT)
            await other.hears(one, 20)
