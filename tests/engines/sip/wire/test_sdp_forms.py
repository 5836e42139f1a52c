"""Forms of SDP that gateways and phones send, asked for by the RFCs or merely allowed."""

from dataclasses import replace

import pytest

from callwright.engines.media.media import RtpStream
from callwright.engines.sip.wire.sdp import (
    AudioProfile,
    NoCommonCodec,
    SdpSession,
    UnusableSdp,
    agree,
    parse,
)

PCMA = RtpStream(("192.0.2.9", 7000), "PCMA", 8)
KEYED = replace(PCMA, dtmf_payload_type=101)
HELD = replace(PCMA, sends=False)

PLAIN = """\
v=0
o=- 1 1 IN IP4 192.0.2.9
s=-
c=IN IP4 192.0.2.9
t=0 0
m=audio 7000 RTP/AVP 8 101
a=rtpmap:8 PCMA/8000
a=rtpmap:101 telephone-event/8000
"""


def changed(*pairs: tuple[str, str]) -> str:
    text = PLAIN
    for before, after in pairs:
        assert before in text
        text = text.replace(before, after, 1)
    return text


AUDIO = "m=audio 7000 RTP/AVP 8 101\n"
VIDEO = "m=video 7002 RTP/AVP 96\na=rtpmap:96 H264/90000\na=sendonly\n"
FAX = "m=image 7004 udptl t38\na=T38FaxVersion:0\n"

FORMS = {
    "as the RFC writes it": (PLAIN, KEYED),
    "nothing but what is needed": ("c=IN IP4 192.0.2.9\nm=audio 7000 RTP/AVP 8\n", PCMA),
    "without s= and t=": (changed(("s=-\n", ""), ("t=0 0\n", "")), KEYED),
    "an empty s=": (changed(("s=-", "s=")), KEYED),
    "a name that is no UTF-8 and has an equals sign": (
        changed(("s=-", "s=M\udce9dia=Gate")),
        KEYED,
    ),
    "a name with a line separator of Unicode": (
        changed(("s=-", "s=x\u2028c=IN IP4 198.51.100.1\x85m=audio 9 RTP/AVP 8")),
        KEYED,
    ),
    "all the lines there are": (
        changed(
            ("t=0 0\n", "b=CT:128\nb=AS:64\nt=0 0\nr=7d 1h 0 25h\nz=2882844526 -1h\nk=prompt\n"),
            ("c=IN", "i=A call\nu=http://x.example/\ne=a@x.example (A)\np=+7 495 000-00-00\nc=IN"),
        )
        + "i=audio\nb=TIAS:64000\nk=clear:x\na=maxprate:50.0\n",
        KEYED,
    ),
    "empty lines at the end": (PLAIN + "\n\n\n", KEYED),
    "an empty line in the middle": (changed(("t=0 0\n", "t=0 0\n\n")), KEYED),
    "no line end at the end": (PLAIN.rstrip("\n"), KEYED),
    "zeros at the end": (PLAIN + "\0\0", KEYED),
    "blanks at the ends of lines": (PLAIN.replace("\n", " \t\n"), KEYED),
    "blanks at the beginnings of lines": ("\n".join(f" {one}" for one in PLAIN.split("\n")), KEYED),
    "blanks after the equals signs": (PLAIN.replace("=", "= "), KEYED),
    "blanks between the formats": (changed(("RTP/AVP 8 101", "RTP/AVP  8   101 ")), KEYED),
    "tabs": (changed(("m=audio 7000 RTP/AVP 8 101", "m=audio\t7000\tRTP/AVP\t8\t101")), KEYED),
    "blanks in rtpmap": (
        changed(("a=rtpmap:101 telephone-event/8000", "a=rtpmap: 101  telephone-event / 8000")),
        KEYED,
    ),
    "names in another case": (
        changed(
            ("telephone-event", "Telephone-Event"),
            ("PCMA", "pcma"),
            ("a=rtpmap:8", "a=RTPMAP:8"),
            ("RTP/AVP", "rtp/avp"),
            ("audio", "Audio"),
            ("IN IP4 192.0.2.9\nt", "in ip4 192.0.2.9\nt"),
        ),
        KEYED,
    ),
    "one channel": (
        changed(("PCMA/8000", "PCMA/8000/1"), ("event/8000", "event/8000/1")),
        KEYED,
    ),
    "static payload types without rtpmap": (changed(("a=rtpmap:8 PCMA/8000\n", "")), KEYED),
    "a static payload type that says half of it": (changed(("PCMA/8000", "PCMA")), KEYED),
    "rtpmap after fmtp, and of what is not offered": (
        changed(("a=rtpmap:8 PCMA/8000\n", "a=fmtp:101 0-16\na=rtpmap:18 G729/8000\n")),
        KEYED,
    ),
    "payload types that are none": (changed(("8 101", "x 300 -1 8 101")), KEYED),
    "events of several clocks": (
        changed(
            ("8 101", "8 96 101"),
            ("a=rtpmap:101", "a=rtpmap:96 telephone-event/16000\na=rtpmap:101"),
        ),
        KEYED,
    ),
    "events of another clock alone": (changed(("event/8000", "event/16000")), PCMA),
    "comfort noise and redundancy before": (
        changed(("8 101", "13 121 8 101"), ("a=rtpmap:8", "a=rtpmap:121 red/8000\na=rtpmap:8")),
        KEYED,
    ),
    "ports in a row": (changed(("7000 ", "7000/2 ")), KEYED),
    "AVPF": (changed(("RTP/AVP", "RTP/AVPF")) + "a=rtcp-fb:* trr-int 1000\n", KEYED),
    "ptime and maxptime": (PLAIN + "a=ptime:30\na=maxptime:150\n", KEYED),
    "packet times that are none": (PLAIN + "a=ptime:\na=maxptime:x\na=ptime:12.5\n", KEYED),
    "RTCP at another port": (PLAIN + "a=rtcp:7100\n", replace(KEYED, rtcp_port=7100)),
    "RTCP at another port and address": (
        PLAIN + "a=rtcp:7100 IN IP4 192.0.2.10\n",
        replace(KEYED, rtcp_port=7100),
    ),
    "attributes nobody knows": (
        changed(("t=0 0\n", "t=0 0\na=group:BUNDLE 0\na=msid-semantic: WMS\na=x\na=\na=:\na\n"))
        + "a=mid:0\na=candidate:1 1 UDP 2130706431 10.0.0.1 7000 typ host\na=ice-ufrag:abcd\n"
        + "a=setup:actpass\na=fingerprint:sha-256 00:11\na=X-nat:0 Unknown\na=sqn: 0\n",
        KEYED,
    ),
    "letters nobody knows": (PLAIN + "x=1\ny=2\n\u044f=3\nX-a=4\nno line at all\n", KEYED),
    "c= of the media alone": (
        changed(("c=IN IP4 192.0.2.9\n", ""), ("a=rtpmap:8", "c=IN IP4 192.0.2.9\na=rtpmap:8")),
        KEYED,
    ),
    "c= of both": (
        changed(("c=IN IP4 192.0.2.9", "c=IN IP4 192.0.2.1")) + "c=IN IP4 192.0.2.9\n",
        KEYED,
    ),
    "c= with a TTL": (changed(("c=IN IP4 192.0.2.9", "c=IN IP4 192.0.2.9/127")), KEYED),
    "c= at the end, before no media of its own": (
        changed(("c=IN IP4 192.0.2.9\n", ""), (AUDIO, "")) + AUDIO + "c=IN IP4 192.0.2.9\n",
        PCMA,
    ),
    "c= of the video that is malformed": (PLAIN + VIDEO + "c=IN\n", KEYED),
    "IPv6": (
        changed(("c=IN IP4 192.0.2.9", "c=IN IP6 2001:DB8::9")),
        replace(KEYED, remote=("2001:db8::9", 7000)),
    ),
    "a name": (
        changed(("c=IN IP4 192.0.2.9", "c=IN IP4 Media.Example.NET")),
        replace(KEYED, remote=("media.example.net", 7000)),
    ),
    "held as in RFC 2543": (
        changed(("c=IN IP4 192.0.2.9", "c=IN IP4 0.0.0.0"), (" 101", "")),
        replace(HELD, remote=("0.0.0.0", 7000)),
    ),
    "a direction of the session": (
        changed(("t=0 0", "t=0 0\na=sendonly"), (" 101", "")),
        HELD,
    ),
    "a direction of both": (changed(("t=0 0", "t=0 0\na=inactive")) + "a=sendrecv\n", KEYED),
    "a direction in another case": (changed((" 101", "")) + "a=SendOnly \n", HELD),
    "video behind": (PLAIN + VIDEO, KEYED),
    "video before": (changed(("m=audio", VIDEO + "m=audio")), KEYED),
    "fax behind": (PLAIN + FAX, KEYED),
    "fax before": (changed(("m=audio", FAX + "m=audio")), KEYED),
    "fax that is refused, without a format": (PLAIN + "m=image 0 udptl\n", KEYED),
    "an audio that is refused before": (changed((AUDIO, "m=audio 0 RTP/AVP 8\n" + AUDIO)), KEYED),
    "an audio by DTLS before": (
        changed((AUDIO, "m=audio 7100 UDP/TLS/RTP/SAVPF 8\n" + AUDIO)),
        KEYED,
    ),
    "an audio by keys we lack before": (
        changed((AUDIO, "m=audio 7100 RTP/SAVP 8\na=crypto:1 F8_128 inline:x\n" + AUDIO)),
        KEYED,
    ),
    "an audio of other codecs before": (
        changed((AUDIO, "m=audio 7100 RTP/AVP 18 4\na=rtpmap:18 G729/8000\n" + AUDIO)),
        KEYED,
    ),
    "a chat and a floor": (
        PLAIN + "m=message 7654 TCP/MSRP *\nm=application 9 UDP/BFCP *\nm=text 9 RTP/AVP 98\n",
        KEYED,
    ),
    "very long": (PLAIN + "a=candidate:1 1 UDP 1 10.0.0.1 7000 typ host\n" * 1000, KEYED),
    "video of very many formats": (
        PLAIN + "m=video 7002 RTP/AVP " + " ".join(str(one) for one in range(35, 128)) + "\n",
        KEYED,
    ),
    "stereo before": (
        changed(("8 101", "96 8 101"), ("a=rtpmap:8", "a=rtpmap:96 PCMA/8000/2\na=rtpmap:8")),
        KEYED,
    ),
}


@pytest.mark.parametrize("ending", ["\r\n", "\n", "\r"], ids=["CRLF", "LF", "CR"])
@pytest.mark.parametrize("form", FORMS)
def test_the_audio_is_understood(form: str, ending: str) -> None:
    text, stream = FORMS[form]
    body = text.replace("\n", ending).encode("utf-8", "surrogateescape")
    assert agree(parse(body)) == stream
    answer, again = SdpSession(("192.0.2.1", 16384), session_id=1).answer(parse(body))
    assert again == stream
    # RFC 3264 6: as many media lines as were offered, in their order.
    kinds = [line.kind.lower() for line in parse(body).media]
    assert [line.kind.lower() for line in parse(answer).media] == kinds


def test_wideband_that_says_its_rate_for_its_clock() -> None:
    body = changed(("8 101", "9 101"), ("8 PCMA/8000", "9 G722/16000")).encode()
    wide = AudioProfile(("G722", "PCMA"))
    assert agree(parse(body), wide) == replace(KEYED, codec="G722", payload_type=9)


@pytest.mark.parametrize("protocol", ["RTP/AVP", "RTP/AVPF", "rtp/avp"])
def test_the_profile_is_answered_as_it_was_offered(protocol: str) -> None:
    """RFC 4585 4: the profile of an answer is that of the offer."""
    ours = SdpSession(("192.0.2.1", 16384), session_id=1)
    body, _ = ours.answer(parse(changed(("RTP/AVP", protocol)).encode()))
    assert f"m=audio 16384 {protocol} 8 101\r\n".encode() in body


@pytest.mark.parametrize("protocol", ["RTP/SAVP", "RTP/SAVPF"])
def test_srtp_is_taken_with_and_without_feedback(protocol: str) -> None:
    key = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz\n"
    ours = SdpSession(("192.0.2.1", 16384), session_id=1)
    body, stream = ours.answer(parse((changed(("RTP/AVP", protocol)) + key).encode()))
    assert stream.srtp is not None
    assert f"m=audio 16384 {protocol} 8 101\r\n".encode() in body


@pytest.mark.parametrize(
    ("version", "host", "reached"),
    [(4, "IP4 192.0.2.9", True), (4, "IP6 2001:db8::9", False), (6, "IP4 192.0.2.9", False)],
)
def test_what_our_sockets_do_not_reach_is_unusable(version: int, host: str, reached: bool) -> None:
    body = changed(("c=IN IP4 192.0.2.9", f"c=IN {host}")).encode()
    speech = AudioProfile(ip_version=version)
    if reached:
        assert agree(parse(body), speech) == KEYED
    else:
        with pytest.raises(UnusableSdp, match=f"no IPv{version} address"):
            agree(parse(body), speech)


@pytest.mark.parametrize(
    "form",
    [FAX, VIDEO, changed(("RTP/AVP", "UDP/TLS/RTP/SAVPF")), changed(("8000\na", "8000/2\na"))],
    ids=["fax alone", "video alone", "DTLS alone", "stereo alone"],
)
def test_what_has_no_audio_for_us(form: str) -> None:
    with pytest.raises(NoCommonCodec):
        agree(parse(("c=IN IP4 192.0.2.9\n" + form).encode()))
