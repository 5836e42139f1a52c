"""Which session description a message brings, in whatever it is wrapped."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callwright.engines.sip.wire.body import session_description, takes_body
from callwright.engines.sip.wire.message import SipRequest, SipResponse, parse

SDP = b"v=0\r\nm=audio 7000 RTP/AVP 8\r\n"
OTHER = b"v=0\r\nm=audio 9000 RTP/AVP 8\r\n"
ISUP = b"\x01\x00\x60\x00\x0a\r\n--\r\n\r\n\x03\x02\x0d\x08\x83\x90\x00"
"The beginning of an IAM: bytes, not text."
MIXED = "multipart/mixed;boundary=unique-boundary-1"


def part(content: bytes, *headers: str) -> bytes:
    head = "".join(f"{header}\r\n" for header in headers).encode()
    return b"--unique-boundary-1\r\n" + head + b"\r\n" + content + b"\r\n"


def parts(*them: bytes) -> bytes:
    return b"".join(them) + b"--unique-boundary-1--\r\n"


ISUP_PART = part(
    ISUP,
    "Content-Type: application/ISUP;version=itu-t92+",
    "Content-Disposition: signal;handling=optional",
)
SDP_PART = part(SDP, "Content-Type: application/sdp")
INNER = (
    b"--in\r\nContent-Type: application/isup\r\n\r\n\x01\r\n--in\r\n"
    b"Content-Type: application/sdp\r\n\r\n" + SDP + b"\r\n--in--\r\n"
)
BASE64 = b"dj0wDQptPWF1ZGlvIDcwMDAgUlRQL0FWUCA4DQo="
ALTERNATIVE = "multipart/alternative;boundary=unique-boundary-1"

FOUND = {
    "alone": ("application/sdp", SDP),
    "with a charset": ("application/sdp;charset=utf-8", SDP),
    "in capitals": ("Application/SDP ; charset=UTF-8", SDP),
    "SIP-I, the SDP first": (MIXED, parts(SDP_PART, ISUP_PART)),
    "SIP-I, the ISUP first": (MIXED, parts(ISUP_PART, SDP_PART)),
    "the boundary in quotes": (
        'multipart/mixed; boundary="unique-boundary-1"',
        parts(ISUP_PART, SDP_PART),
    ),
    "the boundary behind other parameters": (
        "Multipart/Mixed;start=1;Boundary=unique-boundary-1",
        parts(ISUP_PART, SDP_PART),
    ),
    "ISUP that must be understood": (
        MIXED,
        parts(
            part(
                ISUP,
                "Content-Type: application/isup",
                "Content-Disposition: signal;handling=required",
            ),
            SDP_PART,
        ),
    ),
    "a preamble and an epilogue": (
        MIXED,
        b"for old readers\r\n" + parts(SDP_PART, ISUP_PART) + b"and this\r\n",
    ),
    "no end": (MIXED, ISUP_PART + SDP_PART),
    "blanks behind the boundary": (
        MIXED,
        parts(SDP_PART).replace(b"boundary-1\r\n", b"boundary-1 \t\r\n"),
    ),
    "line feeds alone": (MIXED, parts(ISUP_PART, SDP_PART).replace(b"\r\n", b"\n")),
    "a part of compact headers": (MIXED, parts(part(SDP, "c:application/sdp", "l: 30"))),
    "a part of folded headers": (
        MIXED,
        parts(part(SDP, "Content-Type:\r\n application/sdp;\r\n\tcharset=utf-8")),
    ),
    "an empty part before it": (MIXED, b"--unique-boundary-1\r\n" + parts(SDP_PART)),
    "a part without headers before it": (MIXED, parts(part(b"hello"), SDP_PART)),
    "a session that must be understood": (
        MIXED,
        parts(
            part(
                SDP,
                "Content-Type: application/sdp",
                "Content-Disposition: session;handling=required",
            )
        ),
    ),
    "the first of two": (MIXED, parts(SDP_PART, part(OTHER, "Content-Type: application/sdp"))),
    "not the early session": (
        MIXED,
        parts(
            part(OTHER, "Content-Type: application/sdp", "Content-Disposition: early-session"),
            SDP_PART,
        ),
    ),
    "the last of alternatives": (
        ALTERNATIVE,
        parts(part(OTHER, "Content-Type: application/sdp"), SDP_PART),
    ),
    "related to a picture": (
        "multipart/related;boundary=unique-boundary-1;type=application/sdp",
        parts(part(b"GIF89a", "Content-Type: image/gif"), SDP_PART),
    ),
    "a multipart in a multipart": (
        MIXED,
        parts(part(INNER, "Content-Type: multipart/mixed;boundary=in")),
    ),
    "base64": (
        MIXED,
        parts(part(BASE64, "Content-Type: application/sdp", "Content-Transfer-Encoding: BASE64")),
    ),
    "quoted-printable": (
        MIXED,
        parts(
            part(
                SDP.replace(b"=", b"=3D"),
                "Content-Type: application/sdp",
                "Content-Transfer-Encoding: quoted-printable",
            )
        ),
    ),
    "binary": (
        MIXED,
        parts(part(SDP, "Content-Type: application/sdp", "Content-Transfer-Encoding: binary")),
    ),
}


@pytest.mark.parametrize("case", FOUND)
def test_the_session_description_is_found(case: str) -> None:
    kind, body = FOUND[case]
    for message in (
        SipRequest("INVITE", "sip:a", {"content-type": [kind]}, body),
        SipResponse(183, "Session Progress", {"content-type": [kind]}, body),
    ):
        assert session_description(message).split() == SDP.split()


NONE = {
    "nothing": ("", b"", True),
    "ISUP alone": ("application/isup", ISUP, False),
    "ISUP among parts": (MIXED, parts(ISUP_PART), True),
    "parts without a boundary": ("multipart/mixed", parts(SDP_PART), True),
    "parts by another boundary": ("multipart/mixed;boundary=other", parts(SDP_PART), True),
    "the boundary twice": (f"{MIXED};boundary=other", parts(SDP_PART), True),
    "text": ("text/plain", SDP, False),
    "base64 that is none": (
        MIXED,
        parts(part(b"?", "Content-Type: application/sdp", "Content-Transfer-Encoding: base64")),
        True,
    ),
}


@pytest.mark.parametrize("case", NONE)
def test_there_is_none(case: str) -> None:
    kind, body, taken = NONE[case]
    message = SipRequest("INVITE", "sip:a", {"content-type": [kind]} if kind else {}, body)
    assert (session_description(message), takes_body(message)) == (b"", taken)


@pytest.mark.parametrize(
    ("headers", "found", "taken"),
    [
        ({"content-type": ["application/sdp"], "content-disposition": ["session"]}, True, True),
        (
            {
                "content-type": ["application/sdp"],
                "content-disposition": ["session; handling=required"],
            },
            True,
            True,
        ),
        (
            {"content-type": ["application/sdp"], "content-disposition": ["early-session"]},
            False,
            False,
        ),
        ({"content-type": ["application/sdp"], "content-encoding": ["identity"]}, True, True),
        ({"content-type": ["application/sdp"], "content-encoding": ["gzip"]}, False, False),
        (
            {"content-type": ["text/x"], "content-disposition": ["render;handling=optional"]},
            False,
            True,
        ),
        ({}, True, True),
    ],
)
def test_what_the_headers_beside_it_say(
    headers: dict[str, list[str]], found: bool, taken: bool
) -> None:
    message = SipRequest("INVITE", "sip:a", headers, SDP)
    assert (session_description(message) == SDP, takes_body(message)) == (found, taken)


def test_compact_and_folded_headers_of_the_message() -> None:
    body = parts(ISUP_PART, SDP_PART)
    head = (
        "INVITE sip:a@192.0.2.1 SIP/2.0\r\nv: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bK1\r\n"
        "f: <sip:b@192.0.2.2>;tag=1\r\nt: <sip:a@192.0.2.1>\r\ni: 1\r\nCSeq: 1 INVITE\r\n"
        "m: <sip:b@192.0.2.2>\r\nMIME-Version: 1.0\r\n"
        f'c: multipart/mixed;\r\n\tboundary="unique-boundary-1"\r\nl: {len(body)}\r\n\r\n'
    )
    assert session_description(parse(head.encode() + body)).startswith(SDP.rstrip())


def test_parts_within_parts_have_an_end() -> None:
    body, kind = SDP, "application/sdp"
    for depth in range(6):
        boundary = f"b{depth}"
        head = f"--{boundary}\r\nContent-Type: {kind}\r\n\r\n".encode()
        body = head + body + f"\r\n--{boundary}--\r\n".encode()
        kind = f"multipart/mixed;boundary={boundary}"
    assert session_description(SipRequest("INVITE", "sip:a", {"content-type": [kind]}, body)) == b""


@pytest.mark.realtime
@pytest.mark.parametrize("filling", [b"\r\n--x", b"--x\r\n", b"\r\n-", b"\n\n", b"a: b\r\n"])
def test_nothing_takes_long(filling: bytes) -> None:
    body = (filling * 65536)[:65000]
    message = SipRequest("INVITE", "sip:a", {"content-type": ["multipart/mixed;boundary=x"]}, body)
    begun = time.perf_counter()
    session_description(message)
    assert time.perf_counter() - begun < 1.0


@given(st.binary(max_size=400), st.sampled_from([MIXED, ALTERNATIVE, "application/sdp", ""]))
def test_nothing_is_raised(body: bytes, kind: str) -> None:
    for text in (body, b"--unique-boundary-1\r\n" + body + b"\r\n--unique-boundary-1"):
        message = SipRequest("INVITE", "sip:a", {"content-type": [kind]}, text)
        session_description(message)
        takes_body(message)
