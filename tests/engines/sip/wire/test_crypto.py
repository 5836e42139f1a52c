"""Which keys are offered and answered in SDP, and which offers of others are worked with."""

import re
from base64 import b64decode, b64encode
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callwright.engines.media.media import SrtpSuite
from callwright.engines.sip.wire.crypto import OurKeys, agreed_by, parse_crypto
from callwright.engines.sip.wire.sdp import (
    AudioProfile,
    NoCommonCodec,
    SdpSession,
    UnusableSdp,
    agree,
    parse,
)

KEY = b64encode(bytes(range(30))).decode()
OTHER_KEY = b64encode(bytes(range(30, 60))).decode()
AES_80, AES_32 = SrtpSuite.AES_80, SrtpSuite.AES_32
HEAD = "v=0\r\no=a 1 1 IN IP4 127.0.0.9\r\ns=-\r\nc=IN IP4 127.0.0.9\r\nt=0 0\r\n"
SECURE = AudioProfile(srtp=True)


def sdp(*lines: str) -> bytes:
    return (HEAD + "".join(f"{line}\r\n" for line in lines)).encode()


def session(speech: AudioProfile = SECURE) -> SdpSession:
    return SdpSession(("192.0.2.1", 16384), session_id=5, speech=speech)


def crypto(tag: int = 1, suite: str = AES_80, key: str = KEY, more: str = "") -> str:
    return f"a=crypto:{tag} {suite} inline:{key}{more}"


def crypto_lines(body: bytes) -> list[tuple[str, str, bytes]]:
    found = re.findall(r"^a=crypto:(\d+) (\S+) inline:(\S+)\r$", body.decode(), re.MULTILINE)
    return [(tag, suite, b64decode(key)) for tag, suite, key in found]


@pytest.mark.parametrize(
    ("value", "suite"),
    [
        (f"crypto:1 {AES_80} inline:{KEY}", AES_80),
        (f"crypto:7 {AES_32} inline:{KEY}", AES_32),
        (f"crypto:1 {AES_80.lower()} inline:{KEY}", AES_80),
        (f"crypto:1 {AES_80} inline:{KEY}|2^20", AES_80),
        (f"crypto:1 {AES_80} inline:{KEY}|2^31", AES_80),
        (f"crypto:1 {AES_80} inline:{KEY}|1048576", AES_80),
        (f"crypto:1 {AES_80} inline:{KEY} WSH=128", AES_80),
        (f"crypto:1  {AES_80}  inline:{KEY}", AES_80),
        # What we do not do.
        (f"crypto:1 AES_256_CM_HMAC_SHA1_80 inline:{KEY}", None),
        (f"crypto:1 F8_128_HMAC_SHA1_80 inline:{KEY}", None),
        (f"crypto:1 {AES_80} inline:{KEY}|2^20|1:4", None),
        (f"crypto:1 {AES_80} inline:{KEY}|1:4", None),
        (f"crypto:1 {AES_80} inline:{KEY};inline:{OTHER_KEY}", None),
        (f"crypto:1 {AES_80} inline:{KEY} UNENCRYPTED_SRTP", None),
        (f"crypto:1 {AES_80} inline:{KEY} UNAUTHENTICATED_SRTP", None),
        (f"crypto:1 {AES_80} inline:{KEY} KDR=4", None),
        (f"crypto:1 {AES_80} inline:{KEY}|2^10", None),
        (f"crypto:1 {AES_80} inline:{KEY}|1000", None),
        # Nonsense.
        (f"crypto:1 {AES_80} inline:{KEY[:-4]}", None),
        (f"crypto:1 {AES_80} inline:{KEY}AAAA", None),
        (f"crypto:1 {AES_80} inline:{'*' * 40}", None),
        (f"crypto:x {AES_80} inline:{KEY}", None),
        (f"crypto:1 {AES_80}", None),
        ("crypto:", None),
        ("sendrecv", None),
    ],
)
def test_which_lines_are_worked_with(value: str, suite: SrtpSuite | None) -> None:
    read = parse_crypto(value)
    assert (read.suite if read else None) == suite
    if read:
        assert read.key == bytes(range(30))


@given(st.text())
def test_any_line_is_read_or_not(text: str) -> None:
    assert parse_crypto(text) is None


def test_keys_are_random_of_each_leg_and_not_shown() -> None:
    ours = [one.key for keys in (OurKeys(), OurKeys()) for one in keys.offer()]
    assert len(set(ours)) == 4
    assert {len(key) for key in ours} == {30}
    line = OurKeys().offer()[0]
    assert repr(line.key) not in repr(line)


def test_an_offer_of_srtp_and_its_answer() -> None:
    ours = session()
    body = ours.offer()
    assert b"m=audio 16384 RTP/SAVP 8 0 101\r\n" in body
    offered = crypto_lines(body)
    assert [(tag, suite) for tag, suite, _ in offered] == [("1", AES_80), ("2", AES_32)]
    for tag, suite, key in offered:
        answer = sdp("m=audio 7 RTP/SAVP 8", crypto(int(tag), suite))
        srtp = ours.answered(parse(answer)).srtp
        assert srtp is not None
        assert (srtp.suite, srtp.ours, srtp.theirs) == (suite, key, bytes(range(30)))


@pytest.mark.parametrize(
    "lines",
    [
        ("m=audio 7 RTP/AVP 8",),
        ("m=audio 7 RTP/SAVP 8",),
        ("m=audio 7 RTP/SAVP 8", crypto(3)),  # a tag that was not offered
        ("m=audio 7 RTP/SAVP 8", crypto(1, AES_32)),  # that tag was another suite's
        ("m=audio 0 RTP/SAVP 8", crypto(1)),
    ],
)
def test_no_answer_without_srtp_is_taken(lines: tuple[str, ...]) -> None:
    ours = session()
    ours.offer()
    with pytest.raises(UnusableSdp):
        ours.answered(parse(sdp(*lines)))


@pytest.mark.parametrize("speech", [SECURE, AudioProfile()])
@pytest.mark.parametrize("profile", ["RTP/SAVP", "RTP/AVP"])
def test_keys_are_answered_wherever_they_are_offered(speech: AudioProfile, profile: str) -> None:
    """RTP/AVP with keys is RFC 8643."""
    body, stream = session(speech).answer(
        parse(sdp(f"m=audio 7 {profile} 8", crypto(3, "F8_128_HMAC_SHA1_80"), crypto(4, AES_32)))
    )
    assert f"m=audio 16384 {profile} 8\r\n".encode() in body
    ((tag, suite, key),) = crypto_lines(body)
    assert (tag, suite) == ("4", AES_32)
    assert stream.srtp is not None
    assert (stream.srtp.ours, stream.srtp.theirs) == (key, bytes(range(30)))
    assert key != stream.srtp.theirs


def test_a_plain_offer_is_refused_where_srtp_is_required() -> None:
    plain = parse(sdp("m=audio 7 RTP/AVP 8"))
    with pytest.raises(UnusableSdp, match="no SRTP"):
        agree(plain, SECURE)
    with pytest.raises(UnusableSdp, match="no SRTP"):
        session().answer(plain)
    assert agree(plain).srtp is None


def test_srtp_without_a_key_we_know_is_no_audio() -> None:
    with pytest.raises(NoCommonCodec):
        agree(parse(sdp("m=audio 7 RTP/SAVP 8", crypto(suite="F8_128_HMAC_SHA1_80"))))


def test_of_two_ways_to_talk_the_secure_one_is_taken() -> None:
    offer = sdp("m=audio 7 RTP/AVP 8", "m=audio 9 RTP/SAVP 8", crypto())
    body, stream = session(AudioProfile()).answer(parse(offer))
    assert stream.remote == ("127.0.0.9", 9)
    assert stream.srtp is not None
    lines = [line for line in body.decode().splitlines() if line.startswith("m=")]
    assert lines == ["m=audio 0 RTP/AVP 8", "m=audio 16384 RTP/SAVP 8"]


def test_our_keys_stay_as_long_as_the_leg() -> None:
    ours = session()
    first = crypto_lines(ours.offer())
    assert crypto_lines(ours.offer()) == first
    body, stream = ours.answer(parse(sdp("m=audio 7 RTP/SAVP 8", crypto(9, AES_80, OTHER_KEY))))
    assert crypto_lines(body) == [("9", AES_80, first[0][2])]
    # A refresh repeats what was said last; its answer is to that (RFC 4028).
    assert ours.repeat() == body
    again = ours.answered(parse(sdp("m=audio 7 RTP/SAVP 8", crypto(9, AES_80, OTHER_KEY))))
    assert replace(again, dtmf_payload_type=None, own_dtmf_payload_type=None) == stream
    assert crypto_lines(ours.offer()) == first


def test_a_far_end_may_take_srtp_off_again_where_nobody_requires_it() -> None:
    ours = session(AudioProfile())
    ours.answer(parse(sdp("m=audio 7 RTP/SAVP 8", crypto())))
    assert b"RTP/SAVP" in ours.offer()
    body, stream = ours.answer(parse(sdp("m=audio 7 RTP/AVP 8")))
    assert stream.srtp is None
    assert crypto_lines(body) == []
    assert b"RTP/AVP" in ours.offer()


def test_only_so_many_lines_are_read() -> None:
    lines = [crypto(tag) for tag in range(1, 400)]
    [audio] = parse(sdp("m=audio 7 RTP/SAVP 8", *lines)).audio
    assert len(audio.crypto) == 16


def test_an_answer_to_nothing_agrees_on_nothing() -> None:
    assert agreed_by([], OurKeys().offer()) is None
