"""Damaged SDP: it is a description we can answer, or `UnusableSdp`."""

import random

from callwright.engines.sip.wire.sdp import AudioProfile, SdpSession, UnusableSdp, agree, parse
from fuzz.harness import always, main

OFFER = (
    b"v=0\r\no=- 1 1 IN IP4 127.0.0.9\r\ns=-\r\nc=IN IP4 127.0.0.9\r\nb=AS:64\r\nt=0 0\r\n"
    b"a=sendrecv\r\nm=audio 7000 RTP/AVP 8 0 9 111 101\r\na=rtpmap:8 PCMA/8000/1\r\n"
    b"a=rtpmap:9 G722/8000\r\na=rtpmap:111 opus/48000/2\r\na=fmtp:111 useinbandfec=1\r\n"
    b"a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:30\r\na=maxptime:60\r\n"
)
VIDEO = OFFER + b"a=sendonly\r\nm=video 7100/2 RTP/AVP 31 99\r\nc=IN IP4 0.0.0.0\r\na=inactive\r\n"
SIX = OFFER.replace(b"IP4 127.0.0.9", b"IP6 ::1")
SECURE = OFFER.replace(b"RTP/AVP", b"RTP/SAVP") + (
    b"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz\r\n"
)


WIDE = AudioProfile(("PCMA", "PCMU", "G722", "opus"))
GATEWAY = (
    b"v=0\no=x 1 1 IN IP4 gw\ns=\nc=in ip4 media.example.net\nb=CT:128\nk=prompt\n"
    b"m=image 0 udptl\nm=audio 7300 RTP/SAVP 8\nm=audio 7400 RTP/AVP 18\n"
    b"m=Audio\t7000/2  RTP/AVPF 96 9  101 \n a=RTPMAP: 96  pcma / 8000 / 2\na=rtpmap:9 G722/16000\n"
    b"a=rtpmap:101 Telephone-Event/8000/1\na=rtcp:7100 IN IP4 192.0.2.1\na=SendOnly\n\n\0"
)


class Descriptions:
    seeds = (OFFER, VIDEO, SIX, SECURE, GATEWAY)

    def take(self, data: bytes, chance: random.Random) -> str:
        ours = SdpSession(("127.0.0.1", 16384), session_id=1, speech=WIDE)
        if chance.random() < 0.5:
            ours.offer()
        try:
            body, stream = ours.answer(parse(data))
        except UnusableSdp:
            return "unusable"
        # What we answer must be understood, and mean what we think it means.
        again = agree(parse(body), WIDE)
        assert again.codec == stream.codec
        assert len(parse(body).media) == len(parse(data).media)
        assert len(parse(ours.offer()).media) == len(parse(data).media)
        return f"agreed on {stream.codec}"


if __name__ == "__main__":
    main(lambda: always(Descriptions()))
