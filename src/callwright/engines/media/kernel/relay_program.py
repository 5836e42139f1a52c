"""The relay program: what the kernel does with a packet of a flow, where it comes in on a device.

It does what `callwright.engines.media.sender.Sender.relay_plain` does, to the packets that continue
their stream: RTP without padding or extension, of the payload type, SSRC, sequence number and
timestamp that are due. They go out under our address with our payload type, SSRC, sequence number
and timestamp, and the flow notes what a receiver and a sender of RTP have to know.

Whatever else comes from that far end, a key, a jump, another SSRC, ends the flow (`ACTIVE`) with
that packet: it and all behind it take the long way, in their order, and the engine decides. What
belongs to no flow, comes late or is no audio takes the long way by itself.
"""

from socket import htons

from callwright.engines.media.kernel import flow_layout as flow
from callwright.engines.media.kernel.instructions import (
    FRAME,
    R0,
    R1,
    R2,
    R3,
    R4,
    R5,
    R6,
    R7,
    R8,
    R9,
    If,
    Instructions,
    Operation,
)

# Fields of what the program is given (struct __sk_buff).
_LENGTH, _PACKET_TYPE, _PROTOCOL, _VLAN = 0, 4, 16, 20
_DATA, _DATA_END, _SEGMENT_SIZE = 76, 80, 176

# Helpers (bpf-helpers(7)).
_LOOK_UP, _NOW, _STORE_BYTES, _PULL = 1, 5, 9, 39
_REPLACE_IP_SUM, _REPLACE_UDP_SUM, _DIFFER, _SEND_OUT = 10, 11, 28, 152
_OF_ADDRESSES, _MAY_BE_NOUGHT = 0x10, 0x20

# Offsets in a packet, behind the 14 bytes of Ethernet.
_IP, _FRAGMENT, _TTL, _PROTOCOL_OF_IP, _IP_SUM, _FROM, _TO = 14, 20, 22, 23, 24, 26, 30
_IP_LENGTH, _UDP, _UDP_LENGTH, _UDP_SUM, _RTP = 16, 34, 38, 40, 42
_HEADERS = 54

# Places on the stack.
_NUMBER, _UNTIL = -24, -32
_KEY = -16
_OLD_ADDRESSES, _NEW_ADDRESSES = -48, -40
_OLD_PORTS, _NEW_PORTS = -80, -96
_OLD_WORDS, _NEW_WORDS = -112, -104

_IPV4 = htons(0x0800)
_FRAGMENTED = htons(0x3FFF)
_NEXT = -1
"As if the program were not there (TCX_NEXT)."
_EXPEDITED = 0xB8
"DSCP EF, as our sockets say (RFC 4594 section 4.1)."
_TIME_TO_LIVE = 64

_LARGEST = 2000
"Bytes of payload; what is longer is no telephone's."
_GAP_AT_MOST = 100
_RATE_AT_MOST = 5_000_000
"Nanoseconds between packets: four to 20 ms, as many as a sender allows a bridge."
_BURST = 32 * _RATE_AT_MOST


def relay_program(index: int, flows: int) -> bytes:
    """Write the program. ``index``: map from keys to numbers; ``flows``: array of flows."""
    code = Instructions()
    _find_headers(code)
    _find_flow(code, index, flows)
    code.count(R8, flow.BEGUN)
    code.load(R2, R8, flow.ACTIVE, 4)
    code.jump_if(R2, If.EQUAL, 0, "done")
    _take_if_due(code)
    _note(code)
    _rewrite(code)
    code.count(R8, flow.DONE)
    code.load(R1, R8, flow.DEVICE, 4)
    for register in (R2, R3, R4):
        code.set(register, 0)
    code.call(_SEND_OUT)
    code.leave()
    code.label("end")
    code.store_number(R8, flow.ACTIVE, 4, 0)
    code.label("done")
    code.count(R8, flow.DONE)
    code.label("pass")
    code.set(R0, _NEXT)
    code.leave()
    return code.assembled()


def _find_headers(code: Instructions) -> None:
    """Let R6 be the context and R7 the packet, if it is UDP over IPv4 for this machine."""
    code.copy(R6, R1)
    for field, expected in ((_PROTOCOL, _IPV4), (_PACKET_TYPE, 0), (_VLAN, 0), (_SEGMENT_SIZE, 0)):
        code.load(R2, R6, field, 4)
        code.jump_if(R2, If.NOT_EQUAL, expected, "pass")
    code.load(R2, R6, _LENGTH, 4)
    code.jump_if(R2, If.LESS, _HEADERS + 1, "pass")
    _load_packet(code, otherwise="pull")
    code.jump("headers")
    code.label("pull")
    code.copy(R1, R6)
    code.set(R2, _HEADERS)
    code.call(_PULL)
    code.jump_if(R0, If.NOT_EQUAL, 0, "pass")
    _load_packet(code, otherwise="pass")
    code.label("headers")
    for offset, width, expected in ((_IP, 1, 0x45), (_PROTOCOL_OF_IP, 1, 17)):
        code.load(R2, R7, offset, width)
        code.jump_if(R2, If.NOT_EQUAL, expected, "pass")
    code.load(R2, R7, _FRAGMENT, 2)
    code.do(Operation.AND, R2, _FRAGMENTED)
    code.jump_if(R2, If.NOT_EQUAL, 0, "pass")


def _load_packet(code: Instructions, *, otherwise: str) -> None:
    code.load(R7, R6, _DATA, 4)
    code.load(R3, R6, _DATA_END, 4)
    code.copy(R2, R7)
    code.do(Operation.ADD, R2, _HEADERS)
    code.jump_if_by(R2, If.MORE, R3, otherwise)


def _find_flow(code: Instructions, index: int, flows: int) -> None:
    """Let R8 be the packet's flow and R9 the time, unless relaying has come to its end."""
    for place, offset in ((_KEY, _FROM), (_KEY + 4, _TO), (_KEY + 8, _UDP)):
        code.load(R2, R7, offset, 4)
        code.store(FRAME, place, 4, R2)
    _look_up(code, index, _KEY)
    code.load(R9, R0, 0, 4)
    code.store_number(FRAME, _NUMBER, 4, flow.CONTROL)
    _look_up(code, flows, _NUMBER)
    code.load(R2, R0, flow.UNTIL, 8)
    code.store(FRAME, _UNTIL, 8, R2)
    code.store(FRAME, _NUMBER, 4, R9)
    code.call(_NOW)
    code.copy(R9, R0)
    code.load(R2, FRAME, _UNTIL, 8)
    code.jump_if_by(R9, If.MORE, R2, "pass")
    _look_up(code, flows, _NUMBER)
    code.copy(R8, R0)


def _look_up(code: Instructions, descriptor: int, place: int) -> None:
    code.load_map(R1, descriptor)
    code.copy(R2, FRAME)
    code.do(Operation.ADD, R2, place)
    code.call(_LOOK_UP)
    code.jump_if(R0, If.EQUAL, 0, "pass")


def _take_if_due(code: Instructions) -> None:
    """Go on if the packet is the flow's next.

    R1: bytes of payload, R3: sequence number, R4: timestamp, R5: steps since the last packet.
    """
    code.load(R2, R7, _RTP, 1)
    code.copy(R3, R2)
    code.do(Operation.AND, R3, 0xC0)
    code.jump_if(R3, If.NOT_EQUAL, 0x80, "done")  # STUN and the like
    code.load(R3, R7, _RTP + 1, 1)
    code.copy(R4, R3)
    code.do(Operation.SUB, R4, 192)
    code.jump_if(R4, If.LESS, 32, "done")  # RTCP on RTP's port (RFC 5761 section 4)
    code.jump_if(R2, If.NOT_EQUAL, 0x80, "end")
    code.do(Operation.AND, R3, 0x7F)
    code.load(R4, R8, flow.PAYLOAD_TYPE, 4)
    code.jump_if_by(R3, If.NOT_EQUAL, R4, "end")
    code.load(R3, R7, _RTP + 8, 4)
    code.load(R4, R8, flow.SSRC, 4)
    code.jump_if_by(R3, If.NOT_EQUAL, R4, "end")
    # Sequence number.
    code.load(R3, R7, _RTP + 2, 2)
    code.swap(R3, 16)
    code.load(R4, R8, flow.SEQUENCE, 4)
    code.copy(R5, R3)
    code.do_by(Operation.SUB, R5, R4)
    code.do(Operation.AND, R5, 0xFFFF)
    code.load(R4, R8, flow.FRESH, 4)
    code.jump_if(R4, If.EQUAL, 0, "goes on")
    # What came before it may lie in the socket yet, and must not be overtaken.
    code.jump_if(R5, If.NOT_EQUAL, 1, "end")
    code.label("goes on")
    code.jump_if(R5, If.EQUAL, 0, "done")
    code.jump_if(R5, If.MORE, 0x7FFF, "done")
    code.jump_if(R5, If.MORE, _GAP_AT_MOST, "end")
    # Timestamp.
    code.load(R4, R7, _RTP + 4, 4)
    code.swap(R4, 32)
    code.copy(R1, R4)
    code.load(R2, R8, flow.TIMESTAMP_DUE, 4)
    code.do_by(Operation.SUB, R1, R2, bits=32)
    code.load(R2, R8, flow.RATE, 4)
    code.jump_if_by(R1, If.AT_LEAST, R2, "end")
    # Length.
    code.load(R1, R7, _UDP_LENGTH, 2)
    code.swap(R1, 16)
    code.load(R2, R7, _IP_LENGTH, 2)
    code.swap(R2, 16)
    code.do(Operation.SUB, R2, 20)
    code.jump_if_by(R1, If.NOT_EQUAL, R2, "end")
    code.load(R0, R6, _LENGTH, 4)
    code.do(Operation.SUB, R0, _UDP)
    code.jump_if_by(R1, If.MORE, R0, "end")
    code.do(Operation.SUB, R1, 20)
    code.jump_if(R1, If.SIGNED_LESS, 1, "end")
    code.jump_if(R1, If.MORE, _LARGEST, "end")
    # Rate: no flood and no ring of legs gets through.
    code.load(R2, R8, flow.ALLOWED_AT, 8)
    code.jump_if_by(R2, If.AT_LEAST, R9, "ahead")
    code.copy(R2, R9)
    code.label("ahead")
    code.do(Operation.ADD, R2, _RATE_AT_MOST)
    code.copy(R0, R2)
    code.do_by(Operation.SUB, R0, R9)
    code.jump_if(R0, If.MORE, _BURST, "end")
    code.store(R8, flow.ALLOWED_AT, 8, R2)


def _note(code: Instructions) -> None:
    """Note the packet, as receiver and as sender. Leaves R4 as it is, and R0: the new number."""
    code.store_number(R8, flow.FRESH, 4, 0)
    code.store(R8, flow.SEQUENCE, 4, R3)
    code.do(Operation.SUB, R5, 1)
    code.jump_if(R5, If.EQUAL, 0, "no gap")
    code.store(R8, flow.GAP_LENGTH, 4, R5)
    code.do_by(Operation.SUB, R3, R5)
    code.do(Operation.AND, R3, 0xFFFF)
    code.store(R8, flow.GAP_BEGIN, 4, R3)
    code.label("no gap")
    code.load(R2, R8, flow.UNITS, 4)
    code.jump_if(R2, If.NOT_EQUAL, 0, "units")
    code.copy(R2, R1)
    code.label("units")
    code.do_by(Operation.ADD, R2, R4, bits=32)
    code.store(R8, flow.TIMESTAMP_DUE, 4, R2)
    code.load(R2, R8, flow.PACKETS, 8)
    code.do(Operation.ADD, R2, 1)
    code.store(R8, flow.PACKETS, 8, R2)
    code.load(R2, R8, flow.OCTETS, 8)
    code.do_by(Operation.ADD, R2, R1)
    code.store(R8, flow.OCTETS, 8, R2)
    # Jitter: J += |D| - (J + 8) / 16, with J in sixteenths.
    code.copy(R0, R4)
    code.load(R2, R8, flow.LAST_TIMESTAMP, 4)
    code.do_by(Operation.SUB, R0, R2, bits=32)
    code.load(R2, R8, flow.LAST_AT, 8)
    code.copy(R5, R9)
    code.do_by(Operation.SUB, R5, R2)
    code.load(R2, R8, flow.RATE, 4)
    code.do_by(Operation.MUL, R5, R2)
    code.do(Operation.DIV, R5, 1_000_000_000)
    code.do_by(Operation.SUB, R5, R0)
    code.jump_if(R5, If.SIGNED_AT_LEAST, 0, "spread")
    code.negate(R5)
    code.label("spread")
    code.load(R2, R8, flow.JITTER, 4)
    code.do_by(Operation.ADD, R5, R2)
    code.do(Operation.ADD, R2, 8)
    code.do(Operation.RSH, R2, 4)
    code.do_by(Operation.SUB, R5, R2)
    code.store(R8, flow.JITTER, 4, R5)
    code.store(R8, flow.LAST_TIMESTAMP, 4, R4)
    code.store(R8, flow.LAST_AT, 8, R9)
    code.load(R0, R8, flow.OUT_SEQUENCE, 4)
    code.do(Operation.ADD, R0, 1)
    code.do(Operation.AND, R0, 0xFFFF)
    code.store(R8, flow.OUT_SEQUENCE, 4, R0)


def _rewrite(code: Instructions) -> None:
    """Put our addresses, ports and RTP header into the packet, and set its checksums right."""
    # As they are.
    for place, offset in (
        (_OLD_ADDRESSES, _FROM),
        (_OLD_ADDRESSES + 4, _TO),
        (_OLD_PORTS, _UDP),
        (_OLD_PORTS + 4, _RTP),
        (_OLD_PORTS + 8, _RTP + 4),
        (_OLD_PORTS + 12, _RTP + 8),
        (_OLD_WORDS, _IP),
        (_NEW_WORDS, _IP),
    ):
        code.load(R2, R7, offset, 4)
        code.store(FRAME, place, 4, R2)
    code.load(R2, R7, _TTL, 2)
    for place in (_OLD_WORDS, _NEW_WORDS):
        code.store_number(FRAME, place + 4, 4, 0)
        code.store(FRAME, place + 4, 2, R2)
    # As they shall be.
    code.swap(R0, 16)
    code.store(FRAME, _NEW_PORTS + 6, 2, R0)
    code.load(R2, R8, flow.TIMESTAMP_OFFSET, 4)
    code.do_by(Operation.ADD, R4, R2, bits=32)
    code.swap(R4, 32)
    code.store(FRAME, _NEW_PORTS + 8, 4, R4)
    code.store_number(FRAME, _NEW_PORTS + 4, 1, 0x80)
    code.load(R2, R7, _RTP + 1, 1)
    code.do(Operation.AND, R2, 0x80)
    code.load(R3, R8, flow.OUT_PAYLOAD_TYPE, 4)
    code.do_by(Operation.OR, R2, R3)
    code.store(FRAME, _NEW_PORTS + 5, 1, R2)
    for place, offset, width in (
        (_NEW_PORTS, flow.PORTS, 4),
        (_NEW_PORTS + 12, flow.OUT_SSRC, 4),
        (_NEW_ADDRESSES, flow.ADDRESSES, 4),
        (_NEW_ADDRESSES + 4, flow.ADDRESSES + 4, 4),
    ):
        code.load(R2, R8, offset, width)
        code.store(FRAME, place, width, R2)
    code.load(R2, R7, _IP + 1, 1)
    code.do(Operation.AND, R2, 0x03)  # what congestion has said stays (RFC 3168)
    code.do(Operation.OR, R2, _EXPEDITED)
    code.store(FRAME, _NEW_WORDS + 1, 1, R2)
    code.store_number(FRAME, _NEW_WORDS + 4, 1, _TIME_TO_LIVE)
    # From here on R7 is no packet any more: what writes into one may move it.
    _differ(code, _OLD_ADDRESSES, _NEW_ADDRESSES, 8)
    code.copy(R7, R0)
    _differ(code, _OLD_WORDS, _NEW_WORDS, 8, beside=R7)
    _replace(code, _REPLACE_IP_SUM, _IP_SUM, R0, 0)
    _replace(code, _REPLACE_UDP_SUM, _UDP_SUM, R7, _OF_ADDRESSES | _MAY_BE_NOUGHT)
    _differ(code, _OLD_PORTS, _NEW_PORTS, 16)
    _replace(code, _REPLACE_UDP_SUM, _UDP_SUM, R0, _MAY_BE_NOUGHT)
    for offset, place, size in (
        (_IP, _NEW_WORDS, 4),
        (_TTL, _NEW_WORDS + 4, 1),
        (_FROM, _NEW_ADDRESSES, 8),
        (_UDP, _NEW_PORTS, 4),
        (_RTP, _NEW_PORTS + 4, 12),
    ):
        code.copy(R1, R6)
        code.set(R2, offset)
        code.copy(R3, FRAME)
        code.do(Operation.ADD, R3, place)
        code.set(R4, size)
        code.set(R5, 0)
        code.call(_STORE_BYTES)


def _differ(code: Instructions, old: int, new: int, size: int, beside: int | None = None) -> None:
    """Let R0 be what a checksum changes by; ``beside``: a register with what it does already."""
    code.copy(R1, FRAME)
    code.do(Operation.ADD, R1, old)
    code.set(R2, size)
    code.copy(R3, FRAME)
    code.do(Operation.ADD, R3, new)
    code.set(R4, size)
    code.set(R5, 0) if beside is None else code.copy(R5, beside)
    code.call(_DIFFER)


def _replace(code: Instructions, helper: int, offset: int, by: int, flags: int) -> None:
    code.copy(R4, by)
    code.copy(R1, R6)
    code.set(R2, offset)
    code.set(R3, 0)
    code.set(R5, flags)
    code.call(helper)
