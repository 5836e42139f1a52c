"""Magic numbers and scripts: what a phone does, and that the table says so."""

import pytest

from callwright.engines.port import Cause
from callwright.engines.simulated.far_end import Answers, FarEnd, HangsUp, Presses, Rejects, Rings
from callwright.methods.api_error import ApiError
from callwright.sandbox import behaviour
from callwright.sandbox.behaviour import Phones, PhoneStep, TooManyNumbers, far_end
from callwright.sandbox.numbers import FAMILIES, OTHERWISE, far_end_of

SOON = ((0.1, Rings()), (1.9, Answers()))


@pytest.mark.parametrize(
    ("number", "acts"),
    [
        ("79000010005", ((0.1, Rings()), (5.0, Answers()))),
        ("10005", ((0.1, Rings()), (5.0, Answers()))),
        ("79000011030", (*SOON, (30.0, HangsUp()))),
        ("79000012000", ((0.1, Rejects(Cause.BUSY, "486 Busy Here")),)),
        ("79000013000", ((0.1, Rings()),)),
        ("79000019507", (*SOON, (7.0, Presses("5")))),
        ("79000020012", (*SOON, (12.0, HangsUp(Cause.MEDIA_LOST)))),
    ],
)
def test_the_last_five_digits_say_what_a_phone_does(number: str, acts: object) -> None:
    assert far_end_of(number, 0).acts == acts


@pytest.mark.parametrize("number", ["79261234567", "99005", "7900001000", "890000110005", ""])
def test_every_other_number_answers_soon(number: str) -> None:
    assert far_end_of(number, 0) == OTHERWISE


def test_one_family_is_busy_at_first() -> None:
    phones = Phones()
    causes = [phones.next_call("79000023002").acts[0][1] for _ in range(3)]
    assert causes == [Rejects(Cause.BUSY, "486 Busy Here")] * 2 + [Rings()]


def test_codes_are_two_digits_each_its_own() -> None:
    codes = [family.code for family in FAMILIES]
    assert len({*codes}) == len(codes)
    assert all(len(code) == 2 and code.isdigit() for code in codes)
    assert all(len(family.example) == 3 and family.example.isdigit() for family in FAMILIES)


def test_scripts_for_some_calls_come_first_and_then_the_number_speaks() -> None:
    phones, number = Phones(), "79000012000"
    first, second = FarEnd(((1.0, Answers()),)), FarEnd(((2.0, Answers()),))
    phones.script(number, first, 1)
    phones.script(number, second, 2)
    assert [phones.next_call(number) for _ in range(4)] == [
        first,
        second,
        second,
        far_end_of(number, 3),
    ]


def test_a_script_for_all_calls_replaces_the_one_before() -> None:
    phones, number = Phones(), "79261112233"
    one, other = FarEnd(((1.0, Answers()),)), FarEnd(((2.0, Answers()),))
    phones.script(number, one, None)
    phones.script(number, other, None)
    assert phones.next_call(number) is other
    phones.forget(number)
    assert phones.next_call(number) == OTHERWISE


def test_numbers_with_scripts_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(behaviour, "NUMBERS_AT_MOST", 2)
    phones = Phones()
    for number in ("1", "2", "2"):
        phones.script(number, OTHERWISE, None)
    with pytest.raises(TooManyNumbers):
        phones.script("3", OTHERWISE, None)
    for number in ("4", "5", "6"):
        phones.next_call(number)
    assert phones.next_call("4") == OTHERWISE


@pytest.mark.parametrize(
    ("steps", "field", "mnemonic"),
    [
        ([PhoneStep(do="answer"), PhoneStep(do="ring")], "steps.1.do", "invalid_parameter_value"),
        ([PhoneStep(do="press", key="1")], "steps.0.do", "invalid_parameter_value"),
        (
            [PhoneStep(do="answer"), PhoneStep(do="press")],
            "steps.1.key",
            "required_parameter_missed",
        ),
        ([PhoneStep(do="answer", key="1")], "steps.0.key", "invalid_parameter_value"),
        ([PhoneStep(do="drop")], "steps.0.do", "invalid_parameter_value"),
        ([PhoneStep(do="reject"), PhoneStep(do="answer")], "steps.1.do", "invalid_parameter_value"),
        ([PhoneStep(do="answer"), PhoneStep(do="reject")], "steps.1.do", "invalid_parameter_value"),
    ],
)
def test_a_script_that_makes_no_sense_is_refused_by_its_step(
    steps: list[PhoneStep], field: str, mnemonic: str
) -> None:
    with pytest.raises(ApiError) as refusal:
        far_end(steps, "steps")
    assert (refusal.value.field, refusal.value.mnemonic) == (field, mnemonic)
