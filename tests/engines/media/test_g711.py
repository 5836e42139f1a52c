import subprocess
import sys

from callwright.engines.media.g711 import SILENCE, TRANSLATION, Law, decode, encode


def test_silence_is_the_code_word_of_the_smallest_sample() -> None:
    assert encode(Law.A, bytes(320)) == SILENCE[Law.A] == b"\xd5" * 160
    assert encode(Law.U, bytes(320)) == SILENCE[Law.U] == b"\xff" * 160


def test_translation_changes_a_sample_by_no_more_than_a_step() -> None:
    for (law, other), table in TRANSLATION.items():
        if table is None:
            assert law is other
            continue
        for code in range(256):
            before = int.from_bytes(decode(law, bytes([code])), sys.byteorder, signed=True)
            after = int.from_bytes(
                decode(other, table[code : code + 1]), sys.byteorder, signed=True
            )
            assert abs(after - before) <= max(16, abs(before) * 0.07)


def test_importing_it_warns_of_nothing() -> None:
    module = "callwright.engines.media.g711"
    subprocess.run([sys.executable, "-W", "error", "-c", f"import {module}"], check=True)
