"""What the messages of RFC 4475, and random bytes, become."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from callwright.engines.sip.wire.address import Malformed, parse_name_addr, parse_uri, parse_via
from callwright.engines.sip.wire.hop import Hop
from callwright.engines.sip.wire.message import (
    MAX_LINE,
    MAX_LINES,
    MAX_MESSAGE,
    SipRequest,
    SipResponse,
    answer_to,
    contact,
    content_type,
    parse,
    stamp_source,
    tokens,
    values,
    where_answers_go,
)
from tests.engines.sip.wire.torture import REFUSED, TAKEN, VALID, wire
from tests.engines.sip.world import World


@pytest.mark.parametrize("name", VALID)
def test_the_well_formed_are_read(name: str) -> None:
    message = parse(wire(VALID[name]))
    assert message.call_id.startswith(f"{name}.")
    assert message.cseq > 0
    assert message.to_tag is None or message.to_tag.isalnum()


@pytest.mark.parametrize("name", REFUSED)
def test_the_malformed_are_refused_for_their_reason(name: str) -> None:
    reason, text = REFUSED[name]
    with pytest.raises(Malformed) as refused:
        parse(wire(text))
    assert str(refused.value) == reason


@pytest.mark.parametrize("name", TAKEN)
def test_the_doubtful_are_answered(name: str) -> None:
    status, text = TAKEN[name]
    world = World()
    world.agent.receive(wire(text), Hop("192.0.2.99", 5060), 0.0)
    answers = [parse(one.data) for one in world.agent.layer.to_send]
    assert [one.status for one in answers if isinstance(one, SipResponse)] == (
        [status] if status else []
    )
    assert not any(reason.startswith("malformed") for reason in world.agent.layer.dropped)


@pytest.mark.parametrize("name", VALID)
def test_an_answer_repeats_what_the_request_said(name: str) -> None:
    request = parse(wire(VALID[name]))
    if not isinstance(request, SipRequest):
        return
    again = parse(bytes(answer_to(request, 200, "OK", tag="us")))
    assert isinstance(again, SipResponse)
    for header in ("via", "from", "call-id", "cseq"):
        assert again.headers[header] == request.headers[header]
    assert again.to_tag == (request.to_tag or "us")


def test_wsinv_in_full() -> None:
    request = parse(wire(VALID["wsinv"]))
    assert isinstance(request, SipRequest)
    assert (request.method, request.cseq, request.from_tag) == ("INVITE", 9, "98asjd8")
    assert request.to_tag == "1918181833n"
    assert [parse_via(via).branch for via in request.headers["via"]] == [
        "390skdjuw",
        "z9hG4bK9ikj8",
        "z9hG4bK30239",
    ]
    assert request.headers["subject"] == [""]
    assert request.headers["newfangledheader"] == ["newfangled value continued newfangled value"]
    there = contact(request)
    assert there is not None
    assert there.uri == "sip:jdrosen@example.com"
    assert dict(there.params) == {"newparam": "newvalue", "secondparam": None, "q": "0.33"}
    assert content_type(request) == "application/sdp"
    assert len(request.body) == 150
    assert request.via.transport == "UDP"


def test_dblreq_is_the_first_of_the_two() -> None:
    request = parse(wire(VALID["dblreq"]))
    assert isinstance(request, SipRequest)
    assert (request.method, request.body) == ("REGISTER", b"")


def test_an_unknown_method_is_not_the_one_it_resembles() -> None:
    request = parse(wire(VALID["esc02"]))
    assert isinstance(request, SipRequest)
    assert request.method == "RE%47IST%45R"
    assert len(values(request, "contact")) == 2


@pytest.mark.parametrize(
    ("text", "user", "hop"),
    [
        ("sip:25@pbx1", "25", ("pbx1", 5060)),
        ("SIP:25@my_host:5080", "25", ("my_host", 5080)),
        ("sip:127.0.0.1", None, ("127.0.0.1", 5060)),
        ("sip:+7495;npdi;rn=1@carrier.example:5070", "+7495;npdi;rn=1", ("carrier.example", 5070)),
        ("sip:25@[::1]:5060;transport=UDP", "25", ("::1", 5060)),
        ("sip:25@192.0.2.7;transport=TLS", "25", ("192.0.2.7", 5061)),
        ("sips:25@example.com", "25", ("example.com", 5061)),
        ("sip:25@example.com;maddr=192.0.2.9", "25", ("192.0.2.9", 5060)),
        ("sip:25@example.com;self=1;gr=urn:uuid:f8-1?x=y@z", "25", ("example.com", 5060)),
    ],
)
def test_uris_as_equipment_writes_them(text: str, user: str | None, hop: tuple[str, int]) -> None:
    uri = parse_uri(text)
    assert (uri.user, uri.hop.place) == (user, hop)


@pytest.mark.parametrize(
    "text",
    [
        "25",
        "sip:",
        "sip:@h",
        "sip:25@",
        "sip:25@h:0",
        "sip:25@h:65536",
        f"sip:25@h:{'9' * 5000}",
        "sip:25@h o",
        "sip:25@::1",
        'sip:25@h;x="',
        "sip:25@h;x;x",
        f"sip:25@{'a' * 300}",
    ],
)
def test_uris_that_are_none(text: str) -> None:
    with pytest.raises(Malformed):
        parse_uri(text)


@pytest.mark.parametrize(
    ("text", "uri", "tag"),
    [
        ('"<sip:evil@h>" <sip:good@h>;tag=1', "sip:good@h", "1"),
        ("sip:a@h;tag=2", "sip:a@h", "2"),
        ("<sip:a@h;tag=uri>;TAG=3", "sip:a@h;tag=uri", "3"),
        ("Имя <sip:a@h>;tag=a:b", "sip:a@h", "a:b"),
        ('<sip:a@h>;x="; tag=no";tag=4', "sip:a@h", "4"),
    ],
)
def test_addresses_as_equipment_writes_them(text: str, uri: str, tag: str) -> None:
    address = parse_name_addr(text)
    assert (address.uri, address.tag) == (uri, tag)


@pytest.mark.parametrize(
    "text", ['"a', '"a" sip:a@h', "<sip:a@h", "<sip:a@h> x", '"a" "b <sip:a@h>', "<a>;;b"]
)
def test_addresses_that_are_none(text: str) -> None:
    with pytest.raises(Malformed):
        parse_name_addr(text)


OPTIONS = VALID["lwsdisp"].replace("\n", "\r\n").encode()


def test_limits() -> None:
    with pytest.raises(Malformed, match="oversize"):
        parse(OPTIONS + b"x" * MAX_MESSAGE)
    with pytest.raises(Malformed, match="too many headers"):
        parse(OPTIONS.replace(b"l: 0", b"X: y\r\n" * MAX_LINES + b"l: 0"))
    with pytest.raises(Malformed, match="too many headers"):
        parse(OPTIONS.replace(b"l: 0", b"X: y\r\n" + b" z\r\n" * MAX_LINES + b"l: 0"))
    with pytest.raises(Malformed, match="header line too long"):
        parse(OPTIONS.replace(b"l: 0", b"X: " + b"y" * MAX_LINE + b"\r\nl: 0"))
    assert parse(OPTIONS.replace(b"l: 0", b"X: " + b"y" * (MAX_LINE - 3) + b"\r\nl: 0"))
    with pytest.raises(Malformed, match="no end of headers"):
        parse(OPTIONS[:-4])


@pytest.mark.parametrize("break_", [b"\r", b"\n", b"\r\r", b"\n\n"])
def test_a_lone_line_break_is_refused(break_: bytes) -> None:
    with pytest.raises(Malformed):
        parse(OPTIONS.replace(b"l: 0", b"X: y" + break_ + b"Z: z\r\nl: 0"))


def test_our_own_words_cannot_smuggle_a_header() -> None:
    request = parse(OPTIONS)
    request.headers["x"] = ["y\r\nz: evil"]
    with pytest.raises(ValueError, match="line break"):
        bytes(request)


def test_bytes_that_are_no_utf8_are_repeated_as_they_came() -> None:
    request = parse(OPTIONS.replace(b"caller<", b"\xe9t\xe9<"))
    assert b"\xe9t\xe9<" in bytes(request)


@pytest.mark.parametrize(
    ("via", "stamped", "hop"),
    [
        ("10.0.0.1:5080;branch=b", ";received=192.0.2.1", ("192.0.2.1", 5080)),
        ("10.0.0.1;branch=b", ";received=192.0.2.1", ("192.0.2.1", 5060)),
        ("192.0.2.1:5080;branch=b", "", ("192.0.2.1", 5080)),
        (
            "10.0.0.1;rport;branch=b",
            ";rport=4000;branch=b;received=192.0.2.1",
            ("192.0.2.1", 4000),
        ),
        ("10.0.0.1;branch=b;rport", ";rport=4000;received=192.0.2.1", ("192.0.2.1", 4000)),
    ],
)
def test_the_source_is_noted_in_the_via(via: str, stamped: str, hop: tuple[str, int]) -> None:
    request = parse(OPTIONS.replace(b"funky.example.com;branch=z9hG4bKkdjuw", via.encode()))
    assert isinstance(request, SipRequest)
    stamp_source(request, Hop("192.0.2.1", 4000))
    assert request.headers["via"][0].endswith(stamped)
    assert where_answers_go(request, Hop("192.0.2.1", 4000)).place == hop
    assert request.via.branch == "b"


def test_a_header_that_ends_with_a_semicolon_can_be_answered() -> None:
    ended = (b"user@example.com\r\nFrom", b"user@example.com;\r\nFrom")
    answer = parse(bytes(answer_to(asked(OPTIONS.replace(*ended)), 200, "OK", tag="us")))
    assert answer.to_tag == "us"

    bare = (b";branch=z9hG4bKkdjuw", b";")
    request = asked(OPTIONS.replace(*bare))
    stamp_source(request, Hop("198.51.100.1", 4000))
    answer = parse(bytes(answer_to(request, 200, "OK")))
    assert isinstance(answer, SipResponse)
    assert parse_via(answer.headers["via"][0]).params == {"received": "198.51.100.1"}


def asked(data: bytes) -> SipRequest:
    request = parse(data)
    assert isinstance(request, SipRequest)
    return request


def test_lists_of_tokens() -> None:
    request = parse(OPTIONS.replace(b"l: 0", b"k: Timer, 100rel\r\nSupported: , Path\r\nl: 0"))
    assert tokens(request, "supported") == {"timer", "100rel", "path"}


CORPUS = [wire(text) for text in VALID.values()]


@settings(deadline=None)
@given(st.binary(max_size=2000))
@example(b"\r\n\r\n")
@example(b"SIP/2.0 200\r\n\r\n")
def test_any_bytes_are_a_message_or_malformed(data: bytes) -> None:
    read(data)


@settings(deadline=None)
@given(st.data())
def test_any_damage_to_a_message_is_a_message_or_malformed(data: st.DataObject) -> None:
    whole = bytearray(data.draw(st.sampled_from(CORPUS)))
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(whole) - 1))
        whole[at : at + data.draw(st.integers(0, 3))] = data.draw(
            st.sampled_from(
                [b"", b"\0", b'"', b"<", b">", b";", b",", b":", b"\r\n", b" ", b"\xff"]
            )
        )
    read(bytes(whole))


def read(data: bytes) -> None:
    """Read everything that the user agent reads of a message."""
    try:
        message = parse(data)
    except Malformed:
        return
    assert message.call_id
    assert message.cseq >= 0
    message.to_tag, tokens(message, "require"), content_type(message), values(message, "contact")
    if isinstance(message, SipRequest):
        assert message.via.sent_by
        stamp_source(message, Hop("192.0.2.1", 4000))
        where_answers_go(message, Hop("192.0.2.1", 4000))
        parse(bytes(answer_to(message, 200, "OK", tag="us")))


@settings(deadline=None)
@given(st.data())
def test_any_damage_leaves_the_user_agent_standing(data: st.DataObject) -> None:
    world = World()
    for _ in range(3):
        whole = bytearray(data.draw(st.sampled_from(CORPUS)))
        at = data.draw(st.integers(0, len(whole) - 1))
        whole[at] = data.draw(st.integers(0, 255))
        world.agent.receive(bytes(whole), Hop("192.0.2.1", 4000), 0.0)
    assert world.facts == []
