"""The numbers of a call that comes in, in the forms carriers give them."""

import pytest

from callwright.engines.network import Trunk
from callwright.engines.sip.admission.numbers import called_by, caller_of
from callwright.engines.sip.wire.message import Headers, SipRequest

TRUNK = Trunk("carrier", "sip.example.net", user="account7", country="RU")
NUMBER = "79261234567"


def invite(uri: str = "sip:74993720692@us", **headers: str) -> SipRequest:
    said: Headers = {name.replace("_", "-"): [value] for name, value in headers.items()}
    if "from" not in said:
        said["from"] = ["<sip:anonymous@anonymous.invalid>;tag=1"]
    return SipRequest("INVITE", uri, said)


def from_(text: str, **more: str) -> SipRequest:
    return invite(**{"from": text, **more})


@pytest.mark.parametrize(
    "user",
    ["79261234567", "+79261234567", "89261234567", "9261234567", "8(926)123-45-67"]
    + ["0079261234567", "81079261234567", "+89261234567"],
)
def test_every_form_of_a_caller_is_one_number(user: str) -> None:
    for request in (
        from_(f"<sip:{user}@carrier>;tag=1"),
        from_(f'"Ivan" <sip:{user}@carrier;user=phone>;tag=1'),
        invite(p_asserted_identity=f"<sip:{user}@carrier>"),
        invite(p_asserted_identity=f"<tel:{user}>"),
        invite(remote_party_id=f'"Ivan" <sip:{user}@carrier>;party=calling;screen=yes'),
        from_(f'"{user}" <sip:account7@carrier>;tag=1'),
        from_(f"{user} <sip:account7@carrier>;tag=1"),
    ):
        assert caller_of(request, TRUNK) == NUMBER


@pytest.mark.parametrize(
    "user", ["74993720692", "+74993720692", "84993720692", "4993720692", "0074993720692"]
)
def test_every_form_of_what_is_called_is_one_number(user: str) -> None:
    request = invite(f"sip:{user}@us")
    assert called_by(request, TRUNK) == "74993720692"
    to_contact = invite("sip:account7@us", to=f"<sip:{user}@us>")
    assert called_by(to_contact, TRUNK) == "74993720692"


def test_without_a_country_numbers_stay_as_they_are_told() -> None:
    trunk = Trunk("pbx", "192.0.2.1")
    assert caller_of(from_("<sip:89261234567@pbx>;tag=1"), trunk) == "89261234567"
    assert called_by(invite("sip:84993720692@us"), trunk) == "84993720692"


@pytest.mark.parametrize(
    ("request_", "caller"),
    [
        # What counts more is taken.
        (from_(f'"101" <sip:{NUMBER}@pbx>;tag=1'), NUMBER),
        (from_('"Ivan" <sip:account7@pbx>;tag=1'), "account7"),
        (from_('"Room 101" <sip:account7@pbx>;tag=1'), "account7"),
        (from_("<sip:101@pbx>;tag=1", remote_party_id=f"<sip:{NUMBER}@x>"), NUMBER),
        (invite(remote_party_id=f"<sip:{NUMBER}@x>;party=called"), ""),
        (
            invite(p_asserted_identity=f"<sip:{NUMBER}@x>", remote_party_id="<sip:74990000000@x>"),
            NUMBER,
        ),
        # Whoever withholds the number.
        (from_(f"<sip:{NUMBER}@x>;tag=1", remote_party_id=f"<sip:{NUMBER}@x>;privacy=full"), ""),
        (from_(f"<sip:{NUMBER}@x>;tag=1", remote_party_id=f"<sip:{NUMBER}@x>;privacy=off"), NUMBER),
        (from_(f'"{NUMBER}" <sip:account7@x>;tag=1', privacy="id"), ""),
        (from_('"Anonymous" <sip:anonymous@anonymous.invalid>;tag=1'), ""),
        # What nobody should send.
        (from_("<sip:101@pbx>;tag=1", remote_party_id="<<<"), ""),
        (from_(f'"{"9" * 4000}" <sip:account7@pbx>;tag=1'), "account7"),
    ],
)
def test_which_of_several_is_the_caller(request_: SipRequest, caller: str) -> None:
    assert caller_of(request_, TRUNK) == caller
