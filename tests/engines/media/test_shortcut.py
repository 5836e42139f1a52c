"""The shortcut on a desk: what the kernel would relay is relayed by hand, in the same memory."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from callwright.engines.media.kernel import flow_layout as at
from callwright.engines.media.kernel.flow import Flow, FlowPath
from callwright.engines.media.latch import Source
from callwright.engines.media.media import SrtpKeys, SrtpSuite
from callwright.engines.media.rtp import Packet, parse
from callwright.engines.media.shortcut import GONE_AFTER, LOOKS_AT_MOST, LOOKS_BEFORE

from .desk import EVENT, Desk, Talker, assert_one_stream, clip, far

PATH = FlowPath((far(1), ("192.0.2.9", 2)), (("192.0.2.9", 4), far(2)), 7)


class KernelByHand:
    """Relays from leg 1 to leg 2, where both have talked for a moment."""

    def __init__(self) -> None:
        self.desk = Desk()
        self.one, self.other = self.desk.leg(1), self.desk.leg(2)
        self.desk.bridge(1, 2)
        self.talker = Talker(self.desk, 1)
        self.talker.talk(0.1)
        self.memory = memoryview(bytearray(at.SIZE))
        self.halves, self.words = self.memory.cast("I"), self.memory.cast("Q")
        self.removed = 0
        self.ended = 0
        self.begin()

    @property
    def is_taken(self) -> bool:
        return self.one.shortcut.flow is not None

    def begin(self) -> None:
        found = self.one.ear_of_plain(self.desk.now)
        assert found is not None
        ear, payload_type = found
        flow = Flow(self.memory, self._remove)
        self.one.shortcut.fill(flow, PATH, ear, self.one.codec, payload_type)
        self.desk.clock.remove(ear)
        self.one.shortcut.begin(flow, ear, self._ended)

    def relay(self, skip: int = 0) -> None:
        """Send on the talker's next packet."""
        packet = parse(self.talker.packet(skip))
        assert packet is not None
        halves, words = self.halves, self.words
        assert halves[at.ACTIVE // 4]
        assert packet.timestamp - halves[at.TIMESTAMP_DUE // 4] & 0xFFFFFFFF == 160 * skip
        if skip:
            halves[at.GAP_BEGIN // 4] = (packet.sequence - skip) & 0xFFFF
            halves[at.GAP_LENGTH // 4] = skip
        halves[at.SEQUENCE // 4] = packet.sequence
        halves[at.LAST_TIMESTAMP // 4] = packet.timestamp
        halves[at.TIMESTAMP_DUE // 4] = (packet.timestamp + 160) & 0xFFFFFFFF
        halves[at.OUT_SEQUENCE // 4] = (halves[at.OUT_SEQUENCE // 4] + 1) & 0xFFFF
        words[at.PACKETS // 8] += 1
        words[at.OCTETS // 8] += 160
        words[at.LAST_AT // 8] = int(self.desk.now * 1e9)
        timestamp = packet.timestamp + halves[at.TIMESTAMP_OFFSET // 4]
        ssrc = int.from_bytes(self.memory[at.OUT_SSRC : at.OUT_SSRC + 4])
        out = Packet(
            halves[at.OUT_PAYLOAD_TYPE // 4],
            halves[at.OUT_SEQUENCE // 4],
            timestamp & 0xFFFFFFFF,
            ssrc,
            packet.payload,
        )
        self.desk.sent[2].append((self.desk.now, out))
        self.desk.pass_time(0.02)

    def _remove(self) -> None:
        self.removed += 1

    def _ended(self, _: object) -> None:
        self.ended += 1
        self.desk.clock.add(self.other.sender, self.desk.now)


def test_what_goes_on_goes_on_behind_the_kernels_packets() -> None:
    kernel = KernelByHand()
    for _ in range(20):
        kernel.relay()
    kernel.one.shortcut.end()
    kernel.talker.talk(0.2)
    kernel.begin()
    for _ in range(5):
        kernel.relay()
    kernel.one.shortcut.end()
    kernel.talker.talk(0.1)
    assert_one_stream(kernel.desk.all(2))
    assert (kernel.removed, kernel.ended) == (2, 2)
    quality, heard = kernel.one.quality(), kernel.other.quality()
    assert (quality.received, quality.lost) == (5 + 20 + 10 + 5 + 5, 0)
    assert heard.sent == len(kernel.desk.all(2))


def test_what_the_kernel_has_relayed_counts_while_it_does() -> None:
    kernel = KernelByHand()
    before = kernel.one.quality().received, kernel.other.quality().sent
    for _ in range(7):
        kernel.relay()
    assert kernel.one.quality().received == before[0] + 7
    assert kernel.other.quality().sent == before[1] + 7
    assert kernel.is_taken


def test_a_gap_counts_as_lost_until_what_was_missing_comes_late() -> None:
    kernel = KernelByHand()
    late = kernel.talker.packet()
    kernel.talker.sequence -= 1
    kernel.talker.timestamp -= 160
    kernel.relay(skip=2)
    kernel.desk.arrive(1, late)
    assert kernel.one.quality().lost == 1
    assert kernel.desk.tally.overtaken == 1
    assert kernel.is_taken


def test_a_gap_counts_as_lost() -> None:
    kernel = KernelByHand()
    kernel.relay(skip=2)
    kernel.relay()
    assert kernel.one.quality().lost == 2
    kernel.relay(skip=1)
    assert kernel.one.quality().lost == 3


def test_a_packet_that_comes_up_takes_the_others_with_it() -> None:
    kernel = KernelByHand()
    kernel.relay()
    kernel.desk.arrive(1, kernel.talker.packet())
    assert not kernel.is_taken
    kernel.talker.talk(0.1)
    assert_one_stream(kernel.desk.all(2))


def test_a_stranger_takes_nothing_back() -> None:
    kernel = KernelByHand()
    kernel.relay()
    kernel.desk.arrive(1, Talker(kernel.desk, 2).packet(), ("198.51.100.1", 9))
    assert kernel.is_taken
    assert kernel.desk.tally.forged == 1


def test_what_the_kernel_has_ended_is_ended_with_the_packet_that_ended_it() -> None:
    kernel = KernelByHand()
    kernel.relay()
    kernel.halves[at.ACTIVE // 4] = 0
    kernel.desk.arrive(1, kernel.talker.packet())
    assert not kernel.is_taken


def another(kernel: KernelByHand) -> None:
    kernel.desk.leg(3).hear([kernel.one])


def held(kernel: KernelByHand) -> None:
    kernel.other.connect(kernel.desk.stream(2, sends=False), kernel.desk.now)


def protected(leg: int) -> Callable[[KernelByHand], None]:
    def change(kernel: KernelByHand) -> None:
        keys = SrtpKeys(SrtpSuite.AES_80, bytes(30), bytes(30))
        stream = replace(kernel.desk.stream(leg), srtp=keys)
        kernel.desk.legs[leg].connect(stream, kernel.desk.now)

    return change


def moved(to: Source) -> Callable[[KernelByHand], None]:
    def change(kernel: KernelByHand) -> None:
        kernel.one.connect(replace(kernel.desk.stream(1), remote=to), kernel.desk.now)

    return change


CHANGES: dict[str, Callable[[KernelByHand], object]] = {
    "who hears it is bridged with nobody": lambda kernel: kernel.desk.part(2),
    "its bridge ends": lambda kernel: kernel.desk.part(1, 2),
    "another hears it, too": another,
    "it is recorded or mixed": lambda kernel: kernel.one.listen(),
    "who hears it hears another, too": lambda kernel: kernel.other.hear(
        [kernel.one, kernel.desk.leg(3)]
    ),
    "who hears it is played something": lambda kernel: kernel.desk.play(2, clip(bytes(160))),
    "who hears it is sent a key": lambda kernel: kernel.other.sender.press("5"),
    "who hears it has put us on hold": held,
    "it has put us on hold": lambda kernel: kernel.one.connect(
        kernel.desk.stream(1, receives=False), kernel.desk.now
    ),
    "it moves": moved(far(9)),
    "who hears it moves": lambda kernel: kernel.other.sender.send_to(far(9)),
    "it changes its codec": lambda kernel: kernel.one.connect(
        kernel.desk.stream(1, "PCMU"), kernel.desk.now
    ),
    "it begins SRTP": protected(1),
    "who hears it begins SRTP": protected(2),
    "keys are looked for in its sound": lambda kernel: kernel.one.listen_for_keys(wanted=True),
    "it is closed": lambda kernel: kernel.one.take_back(),
    "who hears it is closed": lambda kernel: kernel.other.take_back(),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_it_is_taken_back_before(change: Callable[[KernelByHand], object]) -> None:
    kernel = KernelByHand()
    for _ in range(3):
        kernel.relay()
    change(kernel)
    assert not kernel.is_taken
    assert kernel.other.sender.shortcut is None
    assert kernel.ended == 1
    assert kernel.other.sender.sent == len(kernel.desk.sent[2])


@pytest.mark.parametrize(
    "change",
    [
        "another hears it, too",
        "it is recorded or mixed",
        "who hears it hears another, too",
        "who hears it is played something",
        "who hears it is sent a key",
        "who hears it has put us on hold",
        "it has put us on hold",
        "who hears it begins SRTP",
        "it begins SRTP",
        "it changes its codec",
    ],
)
def test_while_that_lasts_it_is_not_begun_anew(change: str) -> None:
    kernel = KernelByHand()
    kernel.relay()
    CHANGES[change](kernel)
    kernel.desk.arrive(1, kernel.talker.packet())
    assert kernel.one.ear_of_plain(kernel.desk.now) is None


def looks_until_due(kernel: KernelByHand) -> int:
    looks = 1
    while not kernel.one.shortcut.is_due(kernel.desk.now):
        looks += 1
    return looks - 1


def test_it_is_due_a_second_after_a_change_and_later_each_time_that_the_far_end_ends_it() -> None:
    kernel = KernelByHand()
    kernel.one.shortcut.end()
    assert looks_until_due(kernel) == LOOKS_BEFORE
    waits = []
    for _ in range(8):
        kernel.begin()
        kernel.desk.arrive(1, kernel.talker.packet())
        waits.append(looks_until_due(kernel))
        kernel.talker.talk(0.04)
    assert waits == [8, 16, 32, 64, 128, 256, 256, 256]
    assert waits[-1] == LOOKS_AT_MOST
    kernel.begin()
    kernel.one.shortcut.end()
    assert looks_until_due(kernel) == LOOKS_BEFORE


def test_a_far_end_that_falls_silent_is_filled_in_for() -> None:
    kernel = KernelByHand()
    kernel.relay()
    kernel.desk.now += GONE_AFTER + 0.001
    assert not kernel.one.shortcut.is_due(kernel.desk.now)
    assert not kernel.is_taken
    kernel.desk.pass_time(0.1)
    assert kernel.desk.all(2)[-1].payload != kernel.talker.payload
    assert_one_stream(kernel.desk.all(2))


def test_a_key_comes_behind_what_the_kernel_has_relayed() -> None:
    kernel = KernelByHand()
    kernel.relay()
    kernel.halves[at.ACTIVE // 4] = 0
    key = kernel.talker
    key.payload_type, key.payload = EVENT, bytes([5, 10, 0, 160])
    kernel.desk.arrive(1, key.packet(marker=True))
    assert kernel.desk.all(2)[-1].payload_type == EVENT
    assert_one_stream(kernel.desk.all(2))


def test_a_flow_says_in_its_memory_what_was_filled_in() -> None:
    kernel = KernelByHand()
    memory = bytes(kernel.memory)
    assert memory[at.ADDRESSES : at.ADDRESSES + 8] == bytes([192, 0, 2, 9, 192, 0, 2, 1])
    assert memory[at.PORTS : at.PORTS + 4] == (4).to_bytes(2) + far(2)[1].to_bytes(2)
    assert kernel.halves[at.DEVICE // 4] == 7
    assert kernel.halves[at.RATE // 4] == 8000
    assert kernel.halves[at.FRESH // 4] == 1
    assert memory[at.SSRC : at.SSRC + 4] == kernel.talker.ssrc.to_bytes(4)
    key = bytes([192, 0, 2, 1, 192, 0, 2, 9]) + far(1)[1].to_bytes(2) + (2).to_bytes(2)
    assert PATH.key == key
