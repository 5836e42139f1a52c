"""Damage: how a good message is made a bad one, again and again the same way from one seed."""

import random
from collections.abc import Callable, Sequence

LONGEST = 1 << 17
"Bytes no input grows beyond: twice what any reader takes."

NASTY = (
    b"",
    b"\0",
    b"\r\n",
    b"\n",
    b"\r",
    b"\r\n\r\n",
    b" ",
    b"\t",
    b'"',
    b"\\",
    b"<",
    b">",
    b";",
    b",",
    b"=",
    b":",
    b"@",
    b"%",
    b"%00",
    b"[",
    b"]",
    b"{",
    b"}",
    b"-1",
    b"0",
    b"65536",
    b"4294967296",
    b"18446744073709551616",
    b"9" * 400,
    b"1e999",
    b"NaN",
    b"\xff",
    b"\xc0\x80",
    b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80",
    "\u202e".encode(),
    "١".encode(),
    b"A" * 5000,
    b";a=b" * 300,
    b"," * 300,
    b"[" * 3000,
)
"Words at which readers stumble: separators, borders of numbers, broken UTF-8, length, depth."


def damaged(seeds: Sequence[bytes], chance: random.Random) -> bytes:
    """Take one of the seeds and do to it one to a few of the things below."""
    data = bytearray(chance.choice(seeds))
    for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
        chance.choice(_WAYS)(data, seeds, chance)
        if len(data) > LONGEST:
            del data[LONGEST:]
    return bytes(data)


Way = Callable[[bytearray, Sequence[bytes], random.Random], None]


def _flip(data: bytearray, _seeds: Sequence[bytes], chance: random.Random) -> None:
    if data:
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def _replace(data: bytearray, _seeds: Sequence[bytes], chance: random.Random) -> None:
    start, end = _span(data, chance, 8)
    data[start:end] = chance.choice(NASTY)


def _insert(data: bytearray, _seeds: Sequence[bytes], chance: random.Random) -> None:
    at = chance.randint(0, len(data))
    data[at:at] = chance.choice(NASTY)


def _delete(data: bytearray, _seeds: Sequence[bytes], chance: random.Random) -> None:
    start, end = _span(data, chance, 64)
    del data[start:end]


def _repeat(data: bytearray, _seeds: Sequence[bytes], chance: random.Random) -> None:
    start, end = _span(data, chance, 64)
    data[end:end] = bytes(data[start:end]) * chance.choice((1, 2, 50))


def _cut(data: bytearray, _seeds: Sequence[bytes], chance: random.Random) -> None:
    del data[chance.randint(0, len(data)) :]


def _splice(data: bytearray, seeds: Sequence[bytes], chance: random.Random) -> None:
    other = chance.choice(seeds)
    data[chance.randint(0, len(data)) :] = other[chance.randint(0, len(other)) :]


def _number(data: bytearray, _seeds: Sequence[bytes], chance: random.Random) -> None:
    """Put another number in the place of one, as lengths and ports are made to lie."""
    digits = [at for at, byte in enumerate(data) if 0x30 <= byte <= 0x39]
    if digits:
        at = chance.choice(digits)
        data[at : at + 1] = str(
            chance.choice((-1, 0, 1, 255, 256, 65535, 65536, 2**31, 10**30))
        ).encode()


def _line(data: bytearray, _seeds: Sequence[bytes], chance: random.Random) -> None:
    """Double, drop or move a whole line."""
    lines = bytes(data).splitlines(keepends=True)
    if not lines:
        return
    line = lines.pop(chance.randrange(len(lines)))
    for _ in range(chance.choice((0, 1, 2, 300))):
        lines.insert(chance.randint(0, len(lines)), line)
    data[:] = b"".join(lines)


def _noise(data: bytearray, _seeds: Sequence[bytes], chance: random.Random) -> None:
    start, end = _span(data, chance, 32)
    data[start:end] = chance.randbytes(chance.randrange(32))


_WAYS: tuple[Way, ...] = (
    _flip,
    _flip,
    _replace,
    _replace,
    _insert,
    _delete,
    _repeat,
    _cut,
    _splice,
    _number,
    _line,
    _noise,
)


def _span(data: bytearray, chance: random.Random, longest: int) -> tuple[int, int]:
    start = chance.randint(0, len(data))
    return start, min(len(data), start + chance.randrange(longest))
