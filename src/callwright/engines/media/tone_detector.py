"""In-band DTMF detection: how the tones of a key are recognised (ITU-T Q.23, Q.24).

For far ends that took no telephone-events. Every 10 ms a window of 20 ms is looked at: whether most
of its power lies in one tone of the low group and one of the high, by their strengths and the turn
of their phases. A key is what holds for three windows, so that 40 ms are always enough for one and
23 ms never; it is over when three windows are without it, so that a gap of 10 ms does not split it
and one of 40 ms does.

The strengths are Goertzel's: a window's share in a sine and a cosine of each frequency. Adding up
products of samples is what ``audioop.findfactor`` does, in C: a window takes 5 µs, where the same
sums in Python would take a hundred times that.
"""

import math
from array import array
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from callwright.engines.media.g711 import RATE, audioop
from callwright.engines.media.samples import WIDTH
from callwright.engines.media.tones import COLUMNS, PAD, ROWS

HOP = RATE // 100
"Samples from one window to the next: 10 ms."
WINDOW = 2 * HOP

_FULL = 22_716
"RMS of a tone of +3.14 dBm0, the loudest that 16 bits of G.711 hold."
_WEAKEST = _FULL * 10.0 ** (-(3.14 + 31) / 20)
"""RMS of a window that is listened to: -31 dBm0. Two tones of -25 dBm0 each, the weakest that must
be taken, have -22 dBm0; what is below -55 must not be."""
_PURE = 0.7
"Of a window's power that the two tones have. Speech spreads it; 12 dB of noise leave 0.94."
_APART = 4.0
"How many times the power of the next one in its group a tone has (6 dB)."
_LOUDER_ROW = 10.0 ** (9.5 / 10)
_LOUDER_COLUMN = 10.0 ** (6 / 10)
"""Twist: how much power one of the two may have beyond the other. Telephones and lines are allowed
8 dB more in the low group and 4 in the high; the rest is for tones off their frequency, which a
window weakens by up to 1.6 dB."""
_OFF_AT_MOST = 0.022
"Of its frequency that a tone may be off: 1.5 % and 2 Hz must be taken, 3.5 % must not."
_STEADY = 0.5
"Of the strongest of three windows' power that the weakest has (3 dB): edges are no tone yet."
_WINDOWS = 3
"Windows in a row that make a key, and without it that end it."


@dataclass(frozen=True, slots=True, eq=False)
class _Probe:
    """One frequency, as the window is compared with it."""

    hertz: int
    cosine: bytes
    sine: bytes
    turn: float
    "Radians its phase goes on from one window to the next."
    off_at_most: float
    "Radians more or less that are still this frequency."

    def listen(self, window: bytes) -> complex:
        """Return its amplitude, in units of `_UNIT`, and its phase at the window's beginning."""
        return complex(
            audioop.findfactor(window, self.cosine), -audioop.findfactor(window, self.sine)
        )

    def is_off(self, before: complex, after: complex) -> float:
        """Return by how many radians the phase has turned too far, from one window to the next."""
        turned = math.atan2(after.imag, after.real) - math.atan2(before.imag, before.real)
        return math.remainder(turned - self.turn, 2 * math.pi)


_SCALE = 32767
# A Hann window, which keeps a tone out of what is measured 75 Hz beside it.
_SHAPE = [0.5 - 0.5 * math.cos(2 * math.pi * (n + 0.5) / WINDOW) for n in range(WINDOW)]
# findfactor divides by the power of what it compares with. So a tone of amplitude A gives, over the
# many periods of a window, A / _UNIT.
_UNIT = _SCALE * sum(shape * shape for shape in _SHAPE) / sum(_SHAPE)
_PURE_SQUARE = 2 * _PURE / _UNIT**2
"A tone's mean square is half of its amplitude's."


def _probe(hertz: int) -> _Probe:
    angles = [2 * math.pi * hertz * n / RATE for n in range(WINDOW)]

    def reference(values: list[float]) -> bytes:
        shaped = zip(values, _SHAPE, strict=True)
        return array("h", [round(_SCALE * value * shape) for value, shape in shaped]).tobytes()

    a_hertz = 2 * math.pi * HOP / RATE
    return _Probe(
        hertz=hertz,
        cosine=reference([math.cos(angle) for angle in angles]),
        sine=reference([math.sin(angle) for angle in angles]),
        turn=a_hertz * hertz,
        off_at_most=a_hertz * hertz * _OFF_AT_MOST,
    )


_ROW_PROBES = [_probe(hertz) for hertz in ROWS]
_COLUMN_PROBES = [_probe(hertz) for hertz in COLUMNS]


@dataclass(frozen=True, slots=True)
class _Pair:
    """What one window holds: the two tones of a key."""

    row: int
    column: int
    low: complex
    high: complex

    @property
    def key(self) -> str:
        return PAD[self.row][self.column]

    @property
    def power(self) -> float:
        return abs(self.low) ** 2 + abs(self.high) ** 2


class ToneDetector:
    """Tells the keys of one stream of sound, each once, when it has lasted for 40 ms."""

    __slots__ = ("_key", "_rest", "_run", "_without")

    def __init__(self) -> None:
        self._rest = b""
        "Sound whose window is not full."
        self._run: deque[_Pair] = deque(maxlen=_WINDOWS)
        "The latest windows in a row that hold the same pair."
        self._key: str | None = None
        "The key that is being pressed, and has been told."
        self._without = 0
        "Windows in a row without it."

    def take(self, sound: bytes) -> str | None:
        """Take 16-bit samples, 8000 a second; return the key that has become certain.

        Of a packet longer than any telephone's two could; then it is the last.
        """
        found = None
        sound = self._rest + sound
        begin = 0
        while len(sound) - begin >= WINDOW * WIDTH:
            found = self._look(sound[begin : begin + WINDOW * WIDTH]) or found
            begin += HOP * WIDTH
        self._rest = sound[begin:]
        return found

    def skip(self) -> None:
        """Sound is missing: what comes now does not follow what came before.

        A key that was being pressed may still be.
        """
        self._rest = b""
        self._run.clear()

    def _look(self, window: bytes) -> str | None:
        pair = _pair_in(window)
        if pair is None or (self._run and pair.key != self._run[-1].key):
            self._run.clear()
        if pair is not None:
            self._run.append(pair)
        if self._key is not None:
            self._without = 0 if pair is not None and pair.key == self._key else self._without + 1
            if self._without < _WINDOWS:
                return None
            self._key = None
        if len(self._run) < _WINDOWS or not _is_held(self._run):
            return None
        self._key = self._run[-1].key
        self._without = 0
        return self._key


def _pair_in(window: bytes) -> _Pair | None:
    """Find the two tones of a key in a window, if they are what it holds."""
    loudness = audioop.rms(window, WIDTH)
    if loudness < _WEAKEST:
        return None
    low = _strongest(_ROW_PROBES, window)
    high = low and _strongest(_COLUMN_PROBES, window)
    if low is None or high is None:
        return None
    below, above = abs(low[1]) ** 2, abs(high[1]) ** 2
    if below + above < _PURE_SQUARE * loudness**2:
        return None
    if below > above * _LOUDER_ROW or above > below * _LOUDER_COLUMN:
        return None
    return _Pair(low[0], high[0], low[1], high[1])


def _strongest(group: list[_Probe], window: bytes) -> tuple[int, complex] | None:
    """Return the one tone of a group that a window holds: which, and its amplitude."""
    heard = [probe.listen(window) for probe in group]
    powers = [abs(amplitude) ** 2 for amplitude in heard]
    best = max(powers)
    number = powers.index(best)
    if any(power * _APART > best for power in powers[:number] + powers[number + 1 :]):
        return None
    return number, heard[number]


def _is_held(run: Sequence[_Pair]) -> bool:
    """Whether windows that hold the same pair are one tone of each: steady, on its frequency."""
    powers = [pair.power for pair in run]
    if min(powers) < _STEADY * max(powers):
        return False
    low, high = _ROW_PROBES[run[0].row], _COLUMN_PROBES[run[0].column]
    steps = len(run) - 1
    low_off = sum(low.is_off(before.low, after.low) for before, after in pairwise(run))
    high_off = sum(high.is_off(before.high, after.high) for before, after in pairwise(run))
    return abs(low_off) <= steps * low.off_at_most and abs(high_off) <= steps * high.off_at_most
