"""Instructions of eBPF against the bytes that other assemblers make of them."""

import pytest

from callwright.engines.media.kernel.instructions import (
    FRAME,
    R0,
    R1,
    R2,
    R6,
    If,
    Instructions,
    Operation,
)


def hexed(code: Instructions) -> str:
    return code.assembled().hex(" ", 8)


def test_numbers_and_registers() -> None:
    code = Instructions()
    code.set(R0, -1)
    code.copy(R6, R1)
    code.do(Operation.ADD, R2, 54)
    code.do_by(Operation.SUB, R1, R2, bits=32)
    code.negate(R1)
    code.swap(R1, 16)
    code.leave()
    assert hexed(code) == (
        "b7000000ffffffff bf16000000000000 0702000036000000 1c21000000000000 "
        "8701000000000000 dc01000010000000 9500000000000000"
    )


def test_memory() -> None:
    code = Instructions()
    code.load(R2, R1, 16, 4)
    code.load(R2, R1, 14, 1)
    code.load(R2, R1, 38, 2)
    code.store(FRAME, -16, 4, R2)
    code.store(FRAME, -8, 8, R1)
    code.store_number(FRAME, -24, 4, 0)
    code.count(R6, 8)
    assert hexed(code) == (
        "6112100000000000 71120e0000000000 6912260000000000 632af0ff00000000 "
        "7b1af8ff00000000 620ae8ff00000000 b702000001000000 db26080001000000"
    )


def test_jumps_go_to_their_labels() -> None:
    code = Instructions()
    code.jump_if(R2, If.NOT_EQUAL, 8, "end")
    code.load_map(R1, 7)
    code.call(1)
    code.jump_if_by(R0, If.MORE, R2, "end")
    code.jump("end")
    code.leave()
    code.label("end")
    code.leave()
    assert hexed(code) == (
        "5502060008000000 1811000007000000 0000000000000000 8500000001000000 "
        "2d20020000000000 0500010000000000 9500000000000000 9500000000000000"
    )


def test_a_label_must_be_somewhere() -> None:
    code = Instructions()
    code.jump("nowhere")
    with pytest.raises(KeyError):
        code.assembled()
