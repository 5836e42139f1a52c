"""What is offered, what is agreed on, and what is refused."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callwright.engines.media.media import RtpStream
from callwright.engines.sip.wire.sdp import NoCommonCodec, SdpSession, UnusableSdp, agree, parse

HEAD = "v=0\r\no=a 1 1 IN IP4 127.0.0.9\r\ns=-\r\nc=IN IP4 127.0.0.9\r\nt=0 0\r\n"


def sdp(*lines: str, head: str = HEAD) -> bytes:
    return (head + "".join(f"{line}\r\n" for line in lines)).encode()


def session() -> SdpSession:
    return SdpSession(("192.0.2.1", 16384), session_id=5)


def version(body: bytes) -> int:
    found = re.search(rb"o=- 5 (\d+) IN IP4 192.0.2.1", body)
    assert found is not None
    return int(found[1])


def test_our_offer() -> None:
    body = session().offer()
    assert body.decode().splitlines() == [
        "v=0",
        "o=- 5 5 IN IP4 192.0.2.1",
        "s=-",
        "c=IN IP4 192.0.2.1",
        "t=0 0",
        "m=audio 16384 RTP/AVP 8 0 101",
        "a=rtpmap:8 PCMA/8000",
        "a=rtpmap:0 PCMU/8000",
        "a=rtpmap:101 telephone-event/8000",
        "a=fmtp:101 0-15",
        "a=ptime:20",
        "a=sendrecv",
    ]


@pytest.mark.parametrize(
    ("lines", "stream"),
    [
        (("m=audio 7 RTP/AVP 0 8",), RtpStream(("127.0.0.9", 7), "PCMU", 0)),
        (("m=audio 7 RTP/AVP 18 8 0",), RtpStream(("127.0.0.9", 7), "PCMA", 8)),
        (
            ("m=audio 7 RTP/AVP 96 8", "a=rtpmap:96 pcma/8000/1"),
            RtpStream(("127.0.0.9", 7), "PCMA", 96),
        ),
        (
            ("m=audio 7 RTP/AVP 96 8", "a=rtpmap:96 PCMA/16000"),
            RtpStream(("127.0.0.9", 7), "PCMA", 8),
        ),
        (
            ("m=audio 7 RTP/AVP 8 96", "a=rtpmap:96 telephone-event/8000"),
            RtpStream(("127.0.0.9", 7), "PCMA", 8, 96),
        ),
        (
            ("m=audio 7 RTP/AVP 8 96", "a=rtpmap:96 telephone-event/48000"),
            RtpStream(("127.0.0.9", 7), "PCMA", 8),
        ),
        (
            ("m=audio 7 RTP/AVP 8", "c=IN IP4 127.0.0.7/127"),
            RtpStream(("127.0.0.7", 7), "PCMA", 8),
        ),
        (
            ("m=audio 7 RTP/AVP 8", "c=IN IP6 2001:DB8::0:7"),
            RtpStream(("2001:db8::7", 7), "PCMA", 8),
        ),
        (
            ("m=audio 7 RTP/AVP 8", "c=IN IP6 ::"),
            RtpStream(("::", 7), "PCMA", 8, sends=False),
        ),
        (
            ("m=video 5 RTP/AVP 31", "m=audio 0 RTP/AVP 8", "m=audio 7 RTP/AVP 8"),
            RtpStream(("127.0.0.9", 7), "PCMA", 8),
        ),
        (
            ("m=audio 7 RTP/AVP 8", "a=sendonly"),
            RtpStream(("127.0.0.9", 7), "PCMA", 8, sends=False),
        ),
        (
            ("m=audio 7 RTP/AVP 8", "a=recvonly"),
            RtpStream(("127.0.0.9", 7), "PCMA", 8, receives=False),
        ),
        (
            ("a=inactive", "m=audio 7 RTP/AVP 8"),
            RtpStream(("127.0.0.9", 7), "PCMA", 8, sends=False, receives=False),
        ),
        (
            ("a=inactive", "m=audio 7 RTP/AVP 8", "a=sendrecv"),
            RtpStream(("127.0.0.9", 7), "PCMA", 8),
        ),
        (
            ("m=audio 7 RTP/AVP 8", "c=IN IP4 0.0.0.0"),
            RtpStream(("0.0.0.0", 7), "PCMA", 8, sends=False),
        ),
    ],
)
def test_what_is_agreed_on(lines: tuple[str, ...], stream: RtpStream) -> None:
    assert agree(parse(sdp(*lines))) == stream


@pytest.mark.parametrize(
    "lines",
    [
        (),
        ("m=audio 7 RTP/AVP 18",),
        ("m=audio 0 RTP/AVP 8",),
        ("m=audio 7 RTP/SAVP 8",),
        ("m=image 7 udptl t38",),
        ("m=audio 7 RTP/AVP 8", "a=rtpmap:8 G729/8000"),
        ("m=audio 7 RTP/AVP 200 x -8",),
    ],
)
def test_no_common_codec(lines: tuple[str, ...]) -> None:
    with pytest.raises(NoCommonCodec):
        agree(parse(sdp(*lines)))


@pytest.mark.parametrize(
    "lines",
    [
        ("m=audio 7 RTP/AVP 8", "c=IN IP6 ff02::1"),
        ("m=audio 7 RTP/AVP 8", "c=IN IP4 phone..example"),
        ("m=audio 7 RTP/AVP 8", "c=IN IP4 1.2.3"),
        ("m=audio 7 RTP/AVP 8", "c=ATM NSAP 47.0091.8100"),
        ("m=audio 7 RTP/AVP 8", "c=IN IP4 239.1.2.3"),
        ("m=audio 7 RTP/AVP 8", "c=IN IP4 255.255.255.255"),
        ("m=audio 7 RTP/AVP 8", "c=IN"),
        ("m=audio 70000 RTP/AVP 8",),
        ("m=audio 7 RTP/AVP",),
        ("m=audio",),
        tuple("m=audio 7 RTP/AVP 18" for _ in range(17)),
        ("m=audio 7 RTP/AVP " + " ".join(str(kind) for kind in range(96, 200)) + " 8",),
        tuple("a=x" for _ in range(2100)),
    ],
)
def test_descriptions_that_cannot_be_used(lines: tuple[str, ...]) -> None:
    with pytest.raises(UnusableSdp):
        agree(parse(sdp(*lines)))


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("sendrecv", "sendrecv"),
        ("sendonly", "recvonly"),
        ("recvonly", "sendonly"),
        ("inactive", "inactive"),
    ],
)
def test_a_hold_is_mirrored(theirs: str, ours: str) -> None:
    body, _ = session().answer(parse(sdp("m=audio 7 RTP/AVP 8", f"a={theirs}")))
    assert f"a={ours}\r\n".encode() in body


def test_an_answer_takes_the_first_common_codec_and_their_key_events() -> None:
    offer = sdp(
        "m=video 5 RTP/AVP 31 32",
        "m=audio 7 RTP/AVP 18 0 8 96 13",
        "a=rtpmap:96 telephone-event/8000",
        "m=audio 9 RTP/AVP 8",
        "m=image 11 udptl t38",
    )
    body, stream = session().answer(parse(offer))
    assert stream == RtpStream(("127.0.0.9", 7), "PCMU", 0, 96)
    assert body.decode().splitlines()[5:] == [
        "m=video 0 RTP/AVP 31 32",
        "m=audio 16384 RTP/AVP 0 96",
        "a=rtpmap:0 PCMU/8000",
        "a=rtpmap:96 telephone-event/8000",
        "a=fmtp:96 0-15",
        "a=ptime:20",
        "a=sendrecv",
        "m=audio 0 RTP/AVP 8",
        "m=image 0 udptl t38",
    ]


def test_the_version_rises_when_something_has_changed() -> None:
    ours = session()
    versions = [
        version(ours.offer()),
        version(ours.offer()),
        version(ours.answer(parse(sdp("m=audio 7 RTP/AVP 8")))[0]),
        version(ours.answer(parse(sdp("m=audio 9 RTP/AVP 8")))[0]),
        version(ours.answer(parse(sdp("m=audio 9 RTP/AVP 8", "a=sendonly")))[0]),
    ]
    assert versions == [5, 5, 6, 6, 7]


def test_what_was_said_last_is_repeated_word_for_word() -> None:
    ours = session()
    assert ours.repeat() == ours.offer()
    body, _ = ours.answer(parse(sdp("m=video 5 RTP/AVP 31", "m=audio 9 RTP/AVP 8", "a=sendonly")))
    assert ours.repeat() == body
    with pytest.raises(NoCommonCodec):
        ours.answer(parse(sdp("m=audio 7 RTP/AVP 18")))
    assert ours.repeat() == body


def test_our_later_offers_keep_the_media_lines_and_their_payload_types() -> None:
    """RFC 3264 8.1: in their places; 8.3.2: a payload type does not change its meaning."""
    ours = session()
    offer = sdp(
        "m=video 5 RTP/AVP 31",
        "m=audio 7 RTP/AVP 97 101 96",
        "a=rtpmap:97 PCMU/8000",
        "a=rtpmap:101 opus/48000/2",
        "a=rtpmap:96 telephone-event/8000",
    )
    ours.answer(parse(offer))
    assert ours.offer().decode().splitlines()[5:11] == [
        "m=video 0 RTP/AVP 31",
        "m=audio 16384 RTP/AVP 8 97 96",
        "a=rtpmap:8 PCMA/8000",
        "a=rtpmap:97 PCMU/8000",
        "a=rtpmap:96 telephone-event/8000",
        "a=fmtp:96 0-15",
    ]


def test_key_events_move_out_of_the_way_of_another_codec() -> None:
    ours = session()
    ours.answer(parse(sdp("m=audio 7 RTP/AVP 8 101 96", "a=rtpmap:101 opus/48000/2")))
    assert "m=audio 16384 RTP/AVP 8 0 97" in ours.offer().decode()
    everything = " ".join(str(kind) for kind in range(96, 128))
    ours.answer(parse(sdp(f"m=audio 7 RTP/AVP 8 {everything}")))
    assert "m=audio 16384 RTP/AVP 8 0 101" in ours.offer().decode()


@pytest.mark.parametrize("ptime", ["10", "20", "30", "40", "60", "x", ""])
def test_any_packet_time_of_theirs_is_taken(ptime: str) -> None:
    body, stream = session().answer(parse(sdp("m=audio 7 RTP/AVP 8", f"a=ptime:{ptime}")))
    assert stream == RtpStream(("127.0.0.9", 7), "PCMA", 8)
    assert b"a=ptime:20\r\n" in body


def test_a_refused_offer_leaves_the_version_alone() -> None:
    ours = session()
    ours.offer()
    with pytest.raises(NoCommonCodec):
        ours.answer(parse(sdp("m=audio 7 RTP/AVP 18")))
    assert version(ours.offer()) == 5


@pytest.mark.parametrize("body", [b"", b"\r\n", b"hello", b"\xff\xfe\0"])
def test_no_description_at_all(body: bytes) -> None:
    with pytest.raises(UnusableSdp):
        agree(parse(body))


LINES = [
    "m=audio 7 RTP/AVP 8",
    "a=rtpmap:8 PCMA/8000",
    "c=IN IP4 1.2.3.4",
    "m=",
    "c=",
    "a=sendonly",
    "m=audio 99999 RTP/AVP 8",
    "a=rtpmap:999 x/8000",
    "c=IN IP6 x",
]


@settings(deadline=None)
@given(st.lists(st.sampled_from(LINES) | st.text(max_size=30)))
def test_any_lines_are_a_stream_or_unusable(lines: list[str]) -> None:
    try:
        body, stream = session().answer(parse("\r\n".join(lines).encode("utf-8", "replace")))
    except UnusableSdp:
        return
    assert stream.codec == "PCMA"
    assert agree(parse(body)).codec == stream.codec


@pytest.mark.parametrize(
    ("answer", "own"),
    [
        (("m=audio 7 RTP/AVP 8 96", "a=rtpmap:96 telephone-event/8000"), 101),
        (("m=audio 7 RTP/AVP 8 101", "a=rtpmap:101 telephone-event/8000"), None),
        (("m=audio 7 RTP/AVP 8",), 101),
        (("m=audio 7 RTP/AVP 101 96", "a=rtpmap:101 PCMA/8000"), None),
    ],
)
def test_the_number_we_have_offered_for_keys_stays_good(
    answer: tuple[str, ...], own: int | None
) -> None:
    ours = session()
    ours.offer()
    assert ours.answered(parse(sdp(*answer))).own_dtmf_payload_type == own
