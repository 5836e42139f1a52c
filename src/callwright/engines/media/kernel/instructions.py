"""Instructions of eBPF (RFC 9669), written one after another, with labels to jump to."""

import sys
from enum import IntEnum
from struct import Struct

_INSTRUCTION = Struct("=BBhi")

R0, R1, R2, R3, R4, R5, R6, R7, R8, R9, FRAME = range(11)
"""Registers: results come in R0, a helper takes R1 to R5 and spoils R0 to R5, R6 to R9 stay, and
below FRAME are 512 bytes of stack."""

_IMMEDIATE, _REGISTER = 0x00, 0x08
_WIDTHS = {4: 0x00, 2: 0x08, 1: 0x10, 8: 0x18}
_LOAD, _STORE_IMMEDIATE, _STORE, _ALU32, _JUMP, _ALU = 0x61, 0x62, 0x63, 0x04, 0x05, 0x07
_ATOMIC = 0xC3
_FETCH_ADD = 0x01
_LOAD_64 = 0x18
_MAP_BY_DESCRIPTOR = 1


class Operation(IntEnum):
    """What is done to a register by another, or by a number."""

    ADD = 0x00
    SUB = 0x10
    MUL = 0x20
    DIV = 0x30
    OR = 0x40
    AND = 0x50
    RSH = 0x70
    MOV = 0xB0


class If(IntEnum):
    """Conditions of a jump; unsigned but for the last two."""

    EQUAL = 0x10
    MORE = 0x20
    AT_LEAST = 0x30
    NOT_EQUAL = 0x50
    LESS = 0xA0
    SIGNED_AT_LEAST = 0x70
    SIGNED_LESS = 0xC0


class Instructions:
    def __init__(self) -> None:
        self._code: list[tuple[int, int, int, int]] = []
        self._labels: dict[str, int] = {}
        self._jumps: list[tuple[int, str]] = []

    def load(self, into: int, base: int, offset: int, width: int) -> None:
        """Load ``width`` bytes, of the machine's own order."""
        self._add(_LOAD | _WIDTHS[width], into, base, offset, 0)

    def store(self, base: int, offset: int, width: int, register: int) -> None:
        self._add(_STORE | _WIDTHS[width], base, register, offset, 0)

    def store_number(self, base: int, offset: int, width: int, number: int) -> None:
        self._add(_STORE_IMMEDIATE | _WIDTHS[width], base, 0, offset, number)

    def count(self, base: int, offset: int) -> None:
        """Add one to the 8 bytes there, for every processor to see in this order. Spoils R2."""
        self.set(R2, 1)
        self._add(_ATOMIC | _WIDTHS[8], base, R2, offset, _FETCH_ADD)

    def set(self, register: int, number: int) -> None:
        self.do(Operation.MOV, register, number)

    def copy(self, into: int, register: int) -> None:
        self.do_by(Operation.MOV, into, register)

    def do(self, what: Operation, register: int, number: int) -> None:
        self._add(_ALU | _IMMEDIATE | what, register, 0, 0, number)

    def do_by(self, what: Operation, register: int, other: int, *, bits: int = 64) -> None:
        """With 32 bits, the upper half of the result is nought."""
        kind = _ALU if bits == 64 else _ALU32
        self._add(kind | _REGISTER | what, register, other, 0, 0)

    def negate(self, register: int) -> None:
        self._add(0x87, register, 0, 0, 0)

    def swap(self, register: int, bits: int) -> None:
        """Turn the order of the network into the machine's, or back."""
        self._add(0xDC, register, 0, 0, bits)

    def jump(self, to: str) -> None:
        self._jump_by(_JUMP, 0, 0, 0, to)

    def jump_if(self, register: int, condition: If, number: int, to: str) -> None:
        self._jump_by(_JUMP | _IMMEDIATE | condition, register, 0, number, to)

    def jump_if_by(self, register: int, condition: If, other: int, to: str) -> None:
        self._jump_by(_JUMP | _REGISTER | condition, register, other, 0, to)

    def label(self, name: str) -> None:
        self._labels[name] = len(self._code)

    def call(self, helper: int) -> None:
        self._add(0x85, 0, 0, 0, helper)

    def leave(self) -> None:
        self._add(0x95, 0, 0, 0, 0)

    def load_map(self, into: int, descriptor: int) -> None:
        self._add(_LOAD_64, into, _MAP_BY_DESCRIPTOR, 0, descriptor)
        self._add(0, 0, 0, 0, 0)

    def assembled(self) -> bytes:
        """Raises KeyError for a label that is nowhere."""
        offsets = {at: self._labels[to] - at - 1 for at, to in self._jumps}
        return b"".join(
            _INSTRUCTION.pack(code, _registers(to, by), offsets.get(at, offset), number)
            for at, (code, registers, offset, number) in enumerate(self._code)
            for to, by in [divmod(registers, 16)]
        )

    def _add(self, code: int, to: int, by: int, offset: int, number: int) -> None:
        self._code.append((code, to * 16 + by, offset, number))

    def _jump_by(self, code: int, register: int, by: int, number: int, to: str) -> None:
        self._jumps.append((len(self._code), to))
        self._add(code, register, by, 0, number)


def _registers(to: int, by: int) -> int:
    """The two halves of the byte change places with the machine's order (RFC 9669 section 3.1)."""
    return by << 4 | to if sys.byteorder == "little" else to << 4 | by
