"""The verdict on recorded calls: all is well with a good one, and each fault is found."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from callwright.drawing.call import Call, Who
from demo.sound import Heard
from demo.verdict import Phone, checks

Recorded = Callable[[str], Call]
Phones = Callable[[Call], dict[Who, Phone]]

KEYS = [("1", 1.0), ("2", 2.0), ("3", 3.0)]


def failed(call: Call, phones: dict[Who, Phone]) -> list[str]:
    return [check.sentence for check in checks(call, phones, KEYS) if not check.passed]


def shifted(call: Call, event: str, by: float) -> Call:
    """The call with every event of one kind told so many seconds later."""
    moved = (
        e.model_copy(update={"offset": e.offset + by}) if e.event == event else e
        for e in call.timeline
    )
    return call.model_copy(update={"timeline": tuple(moved)})


def test_a_call_as_it_must_be(recorded: Recorded, phones: Phones) -> None:
    call = recorded("seed")
    assert failed(call, phones(call)) == []


def test_a_busy_contact_fails_nearly_everything_without_breaking(
    recorded: Recorded, phones: Phones
) -> None:
    call = recorded("contact_busy")
    sentences = failed(call, phones(call))
    assert len(sentences) == 7
    assert sentences[-1].endswith("subscriber_disconnects.")


def test_a_contact_dialled_too_early_is_found(recorded: Recorded, phones: Phones) -> None:
    call = recorded("seed")
    early = tuple(
        e.model_copy(update={"offset": 3.0})
        if e.event == "leg_started" and e.role is Who.CONTACT
        else e
        for e in call.timeline
    )
    call = call.model_copy(update={"timeline": early})
    assert failed(call, phones(call))[0].startswith("The employee is rung first")


def test_a_wrong_number_on_a_display_is_found(recorded: Recorded, phones: Phones) -> None:
    call = recorded("seed")
    both = phones(call)
    both[Who.EMPLOYEE] = replace(both[Who.EMPLOYEE], shown="74993720692")
    assert failed(call, both) == [
        "The employee's phone shows the contact's number, the contact's the virtual number."
    ]


def test_a_key_fifty_milliseconds_late_is_found(recorded: Recorded, phones: Phones) -> None:
    call = shifted(recorded("seed"), "key_sent", 0.050)
    assert failed(call, phones(call)) == [
        "Keys 1 2 3 are sent to the contact in their time, within 40 ms."
    ]


def test_a_key_the_phone_did_not_get_is_found(recorded: Recorded, phones: Phones) -> None:
    call = recorded("seed")
    both = phones(call)
    both[Who.CONTACT] = replace(both[Who.CONTACT], keys="13")
    assert failed(call, both) == ["The contact's phone has received them."]


def test_an_employee_who_hears_nothing_is_found(recorded: Recorded, phones: Phones) -> None:
    call = recorded("seed")
    both = phones(call)
    heard = both[Who.EMPLOYEE].heard
    assert heard
    silence = Heard(np.zeros_like(heard.samples), heard.rate, heard.start)
    both[Who.EMPLOYEE] = replace(both[Who.EMPLOYEE], heard=silence)
    assert failed(call, both) == [
        "The employee hears, one after the other: message, music, talk.",
        "In the talk the employee hears the contact.",
    ]


def test_a_second_phone_left_on_the_line_is_found(recorded: Recorded, phones: Phones) -> None:
    call = recorded("seed")
    left = tuple(
        e.model_copy(update={"offset": e.offset + 1.0})
        if e.event == "leg_ended" and call.roles[e.leg or 0] is Who.EMPLOYEE
        else e
        for e in call.timeline
    )
    call = call.model_copy(update={"timeline": left})
    assert failed(call, phones(call)) == [
        "The contact hangs up, and the employee is hung up at once: subscriber_disconnects."
    ]
