"""Codecs in SDP: which are offered in which order, and what is agreed on, line by line."""

from dataclasses import replace

import pytest

from callwright.config import SipSettings
from callwright.engines.media.media import RtpStream
from callwright.engines.sip.wire.sdp import AudioProfile, NoCommonCodec, SdpSession, agree, parse

HEAD = "v=0\r\no=a 1 1 IN IP4 127.0.0.9\r\ns=-\r\nc=IN IP4 127.0.0.9\r\nt=0 0\r\n"
ALL = AudioProfile(("PCMA", "PCMU", "G722", "opus"))
FAR = ("127.0.0.9", 7)
OPUS = "a=rtpmap:96 opus/48000/2"
KEYS_8 = "a=rtpmap:101 telephone-event/8000"
KEYS_48 = "a=rtpmap:110 telephone-event/48000"


def sdp(*lines: str) -> bytes:
    return (HEAD + "".join(f"{line}\r\n" for line in lines)).encode()


def session(speech: AudioProfile = ALL) -> SdpSession:
    return SdpSession(("192.0.2.1", 16384), session_id=5, speech=speech)


def media(body: bytes) -> list[str]:
    return body.decode().splitlines()[5:]


def test_the_default_offer_begins_with_what_everybody_has() -> None:
    assert tuple(SipSettings().codecs) == ALL.codecs
    assert media(session().offer()) == [
        "m=audio 16384 RTP/AVP 8 0 9 111 101 110",
        "a=rtpmap:8 PCMA/8000",
        "a=rtpmap:0 PCMU/8000",
        "a=rtpmap:9 G722/8000",
        "a=rtpmap:111 opus/48000/2",
        "a=fmtp:111 useinbandfec=1",
        "a=rtpmap:101 telephone-event/8000",
        "a=fmtp:101 0-15",
        "a=rtpmap:110 telephone-event/48000",
        "a=fmtp:110 0-15",
        "a=ptime:20",
        "a=sendrecv",
    ]


@pytest.mark.parametrize(
    ("codecs", "formats"),
    [
        (("PCMA", "PCMU"), "8 0 101"),
        (("G722", "PCMA"), "9 8 101"),
        (("opus",), "111 110"),
        (("opus", "G722", "PCMU"), "111 9 0 101 110"),
    ],
)
def test_an_offer_holds_what_is_spoken_and_its_key_events(
    codecs: tuple[str, ...], formats: str
) -> None:
    assert media(session(AudioProfile(codecs)).offer())[0] == f"m=audio 16384 RTP/AVP {formats}"


@pytest.mark.parametrize(
    ("lines", "stream"),
    [
        # Theirs is the order.
        (("m=audio 7 RTP/AVP 9 8 0",), RtpStream(FAR, "G722", 9)),
        (("m=audio 7 RTP/AVP 8 9",), RtpStream(FAR, "PCMA", 8)),
        (("m=audio 7 RTP/AVP 96 9", OPUS), RtpStream(FAR, "opus", 96, dtmf_clock=48000)),
        (("m=audio 7 RTP/AVP 18 97 9", "a=rtpmap:97 speex/16000"), RtpStream(FAR, "G722", 9)),
        # G.722's clock is 8000; that of Opus 48000, in whatever case and with whatever channels.
        (("m=audio 7 RTP/AVP 96", "a=rtpmap:96 g722/8000"), RtpStream(FAR, "G722", 96)),
        (
            ("m=audio 7 RTP/AVP 96 8", "a=rtpmap:96 G722/16000"),
            RtpStream(FAR, "PCMA", 8),
        ),
        (
            ("m=audio 7 RTP/AVP 96", "a=rtpmap:96 OPUS/48000"),
            RtpStream(FAR, "opus", 96, dtmf_clock=48000),
        ),
        (("m=audio 7 RTP/AVP 96 8", "a=rtpmap:96 opus/16000/2"), RtpStream(FAR, "PCMA", 8)),
        # Key events have the clock of the audio (RFC 4733 section 2.1).
        (("m=audio 7 RTP/AVP 9 110 101", KEYS_48, KEYS_8), RtpStream(FAR, "G722", 9, 101)),
        (
            ("m=audio 7 RTP/AVP 96 101 110", OPUS, KEYS_8, KEYS_48),
            RtpStream(FAR, "opus", 96, 110, dtmf_clock=48000),
        ),
        # Or else 8000: so do many phones.
        (("m=audio 7 RTP/AVP 96 101", OPUS, KEYS_8), RtpStream(FAR, "opus", 96, 101)),
        (("m=audio 7 RTP/AVP 8 110", KEYS_48), RtpStream(FAR, "PCMA", 8)),
    ],
)
def test_what_is_agreed_on(lines: tuple[str, ...], stream: RtpStream) -> None:
    assert agree(parse(sdp(*lines)), ALL) == stream
    body, answered = session().answer(parse(sdp(*lines)))
    assert answered == stream
    # The far end understands our answer as we do.
    there = agree(parse(body), ALL)
    assert replace(there, remote=FAR) == stream


def test_what_is_not_spoken_is_not_agreed_on() -> None:
    offer = parse(sdp("m=audio 7 RTP/AVP 9 96", OPUS))
    with pytest.raises(NoCommonCodec):
        agree(offer, AudioProfile(("PCMA", "PCMU")))
    assert agree(offer, AudioProfile(("PCMA", "opus"))).codec == "opus"


def test_an_answer_says_how_its_codec_is_to_be_read() -> None:
    body, _ = session().answer(parse(sdp("m=audio 7 RTP/AVP 96 100", OPUS, KEYS_48, KEYS_8)))
    assert media(body) == [
        "m=audio 16384 RTP/AVP 96",
        "a=rtpmap:96 opus/48000/2",
        "a=fmtp:96 useinbandfec=1",
        "a=ptime:20",
        "a=sendrecv",
    ]


def test_later_offers_keep_the_payload_types_the_far_end_uses() -> None:
    """RFC 3264 section 8.3.2."""
    ours = session()
    ours.answer(
        parse(
            sdp(
                "m=audio 7 RTP/AVP 8 96 100 111 101",
                OPUS,
                "a=rtpmap:100 telephone-event/48000",
                "a=rtpmap:111 speex/16000",
                "a=rtpmap:101 iLBC/8000",
            )
        )
    )
    assert media(ours.offer())[:5] == [
        "m=audio 16384 RTP/AVP 8 0 9 96 97 100",
        "a=rtpmap:8 PCMA/8000",
        "a=rtpmap:0 PCMU/8000",
        "a=rtpmap:9 G722/8000",
        "a=rtpmap:96 opus/48000/2",
    ]
