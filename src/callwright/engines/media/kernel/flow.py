"""A flow: one direction of a talk that the kernel relays, as this process sees it."""

from collections.abc import Callable
from dataclasses import dataclass
from socket import AF_INET, inet_pton
from struct import Struct

from callwright.engines.media.kernel import flow_layout as at

_FLOW = Struct("=II16xI4sIIII8s4sII4sII16xQII16x")
"From the first to the last field of `flow_layout`, nought where there is nothing yet."
_ADDRESSES = Struct("!4s4s")
_PORTS = Struct("!HH")
_WAITED_AT_MOST = 100_000
"Looks at whether a processor is done with a packet; it takes less than a microsecond."

Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class FlowPath:
    """From where to where, and by which device."""

    incoming: tuple[Address, Address]
    "The far end's address and ours."
    outgoing: tuple[Address, Address]
    "Ours and the other far end's."
    device: int

    @property
    def key(self) -> bytes:
        """How the packets are found."""
        return _addresses(self.incoming) + _ports(self.incoming)


@dataclass(frozen=True, slots=True)
class Stream:
    """How a packet continues its stream."""

    payload_type: int
    ssrc: int
    sequence: int
    "Of the last packet."
    timestamp: int
    "Coming in: where the next packet is to begin. Going out: what is added to a timestamp."


@dataclass(frozen=True, slots=True)
class LastPacket:
    """What a receiver knows of the last packet."""

    rate: int
    "Timestamp units a second."
    units: int
    "Of a packet; 0: as many as it has bytes."
    timestamp: int
    arrived: float
    "Seconds of the monotonic clock."
    jitter: float
    "Timestamp units."


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a flow has got to. All but the first two since it began."""

    sequence: int
    "Of the last packet that came in."
    out_sequence: int
    "Of the last that went out."
    packets: int
    octets: int
    timestamp: int
    timestamp_due: int
    arrived: float
    jitter: float
    gap: range
    "Sequence numbers that were missing last; their upper bound may be beyond 16 bits."


class Flow:
    """``memory``: the 128 bytes it shares with the kernel. It ends once."""

    __slots__ = ("_halves", "_memory", "_remove", "_words")

    def __init__(self, memory: memoryview, remove: Callable[[], None]) -> None:
        """``remove``: lets no further packet find it."""
        self._memory = memory
        self._halves = memory.cast("I")
        self._words = memory.cast("Q")
        self._remove = remove

    def fill(self, path: FlowPath, incoming: Stream, outgoing: Stream, last: LastPacket) -> None:
        """Say what is to be relayed; only before packets find it."""
        self._memory[:] = _FLOW.pack(
            1,  # active
            1,  # fresh
            incoming.payload_type,
            incoming.ssrc.to_bytes(4),
            incoming.sequence,
            incoming.timestamp,
            last.rate,
            last.units,
            _addresses(path.outgoing),
            _ports(path.outgoing),
            path.device,
            outgoing.payload_type,
            outgoing.ssrc.to_bytes(4),
            outgoing.sequence,
            outgoing.timestamp,
            int(last.arrived * 1e9),
            last.timestamp,
            min(int(last.jitter * 16), 0xFFFFFFFF),
        )

    @property
    def is_active(self) -> bool:
        """Whether the kernel goes on by itself."""
        return self._halves[at.ACTIVE // 4] != 0

    @property
    def last_at(self) -> float:
        """When it relayed its last packet, or what it was filled with: monotonic clock."""
        return self._words[at.LAST_AT // 8] / 1e9

    @property
    def progress(self) -> Progress:
        halves, words = self._halves, self._words
        begin = halves[at.GAP_BEGIN // 4]
        return Progress(
            sequence=halves[at.SEQUENCE // 4],
            out_sequence=halves[at.OUT_SEQUENCE // 4],
            packets=words[at.PACKETS // 8],
            octets=words[at.OCTETS // 8],
            timestamp=halves[at.LAST_TIMESTAMP // 4],
            timestamp_due=halves[at.TIMESTAMP_DUE // 4],
            arrived=self.last_at,
            jitter=halves[at.JITTER // 4] / 16,
            gap=range(begin, begin + halves[at.GAP_LENGTH // 4]),
        )

    def end(self) -> None:
        """Have all further packets take the long way; what is under way has gone out then."""
        self._halves[at.ACTIVE // 4] = 0
        # The system call is also the barrier between what was written and what is read next: a
        # packet that begins later finds no activity, one that began before is counted.
        self._remove()
        words = self._words
        for _ in range(_WAITED_AT_MOST):
            if words[at.BEGUN // 8] == words[at.DONE // 8]:
                return


def _addresses(ends: tuple[Address, Address]) -> bytes:
    return _ADDRESSES.pack(*(inet_pton(AF_INET, host) for host, _ in ends))


def _ports(ends: tuple[Address, Address]) -> bytes:
    return _PORTS.pack(*(port for _, port in ends))
