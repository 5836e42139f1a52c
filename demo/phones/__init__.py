"""SIP phones for demonstrations and tests: independent programs, one way to drive them."""

from pathlib import Path

from demo.phones import baresip
from demo.phones.baresip import Baresip
from demo.phones.phone import Behaviour, Events, Fact, Key, Phone, PhoneFault, Recording
from demo.phones.softphone import Softphone

__all__ = [
    "Baresip",
    "Behaviour",
    "Events",
    "Fact",
    "Key",
    "Phone",
    "PhoneFault",
    "Recording",
    "Softphone",
    "make_phone",
]


def make_phone(
    folder: Path, behaviour: Behaviour, *, number: str = "phone", port: int = 0
) -> Phone:
    """Make a baresip where it is installed and can behave like this, else a softphone.

    `Phone.program` says which it is.
    """
    if baresip.installed() and Baresip.can(behaviour):
        return Baresip(folder, behaviour, number=number, port=port)
    return Softphone(folder, behaviour, number=number, port=port)
