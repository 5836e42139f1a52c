"""Digest answers, against the examples of the RFCs, and the challenges we cannot answer."""

import re

import pytest

from callwright.engines.sip.transaction.digest_client import DigestClient
from callwright.engines.sip.wire.digest import Challenge, digest_response, read_challenge
from callwright.engines.sip.wire.message import Headers, SipRequest, SipResponse

RFC7616: dict[str, str] = {
    "user": "Mufasa",
    "password": "Circle of Life",
    "method": "GET",
    "uri": "/dir/index.html",
    "cnonce": "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
    "count": "00000001",
}
NONCE = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"


def response_of(challenge: Challenge, given: dict[str, str]) -> str:
    return digest_response(challenge, body=b"", **given)


@pytest.mark.parametrize(
    ("algorithm", "expected"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_examples_of_rfc_7616(algorithm: str, expected: str) -> None:
    challenge = Challenge("http-auth@example.org", NONCE, None, algorithm, "auth")
    assert response_of(challenge, RFC7616) == expected


def test_the_example_of_rfc_2617() -> None:
    given = {
        **RFC7616,
        "password": "Circle Of Life",
        "cnonce": "0a4f113b",
    }
    nonce = "dcd98b7102dd2f0e8b11d0f600bfb0c093"
    challenge = Challenge("testrealm@host.com", nonce, None, "", "auth")
    assert response_of(challenge, given) == "6629fae49393a05397450978507c4ef1"
    old = Challenge("testrealm@host.com", nonce, None, "", "")
    assert response_of(old, given) == "670fd8c2df070c60b045671b8b24ff02"


def request(method: str = "INVITE", headers: Headers | None = None) -> SipRequest:
    return SipRequest(method, "sip:a@h", headers or {})


def challenged(*values: str, status: int = 401) -> SipResponse:
    name = "www-authenticate" if status == 401 else "proxy-authenticate"
    return SipResponse(status, "No", {name: list(values)})


def test_the_strongest_algorithm_of_a_realm_is_taken() -> None:
    digest = DigestClient("u", "p")
    assert digest.challenged(
        request(),
        challenged(
            'Digest realm="r", nonce="1", algorithm=MD5, qop="auth"',
            'Digest realm="r", nonce="2", algorithm=SHA-256, qop="auth"',
            'Digest realm="r", nonce="3", algorithm=SHA-512-256, qop="auth"',
            "Bearer x",
        ),
    )
    (answer,) = digest.answers("INVITE", "sip:a@h", b"")["authorization"]
    assert 'nonce="2"' in answer
    assert "algorithm=SHA-256" in answer
    assert re.search(r'response="[0-9a-f]{64}"', answer)


def test_the_words_of_an_answer() -> None:
    digest = DigestClient('us"\r\ner', "p")
    assert digest.challenged(
        request(), challenged(r'digest realm="a \"b\", c",nonce="n" , opaque="",qop="auth-int"')
    )
    (answer,) = digest.answers("BYE", "sip:a@h", b"x")["authorization"]
    words = re.fullmatch(
        r'Digest username="us\\"er", realm="a \\"b\\", c", nonce="n", uri="sip:a@h", '
        r'response="[0-9a-f]{32}", qop=auth-int, nc=00000001, cnonce="[0-9a-f]{16}", opaque=""',
        answer,
    )
    assert words is not None


def test_no_qop_no_count() -> None:
    digest = DigestClient("u", "p")
    assert digest.challenged(request(), challenged('Digest realm="r", nonce="n"', status=407))
    (answer,) = digest.answers("BYE", "sip:a@h", b"")["proxy-authorization"]
    assert "nc=" not in answer
    assert "cnonce" not in answer


def test_the_count_rises_until_the_nonce_changes() -> None:
    digest = DigestClient("u", "p")

    def nonce(value: str) -> SipResponse:
        return challenged(f'Digest realm="r", nonce="{value}", qop="auth"')

    def count() -> str:
        (answer,) = digest.answers("INVITE", "sip:a@h", b"")["authorization"]
        return answer.partition("nc=")[2][:8]

    assert digest.challenged(request(), nonce("1"))
    assert [count(), count()] == ["00000001", "00000002"]
    # A request sent before the first challenge was known is challenged with the same nonce.
    assert digest.challenged(request("PRACK"), nonce("1"))
    assert count() == "00000003"
    assert digest.challenged(request(), nonce("2"))
    assert count() == "00000001"


def test_an_answer_that_was_refused_is_not_given_again() -> None:
    digest = DigestClient("u", "p")
    again = challenged('Digest realm="r", nonce="1", qop="auth"')
    assert digest.challenged(request(), again)
    sent = request(headers=digest.answers("INVITE", "sip:a@h", b""))
    assert not digest.challenged(sent, again)


def test_nobody_answers_without_a_user() -> None:
    digest = DigestClient(None, None)
    assert not digest.challenged(request(), challenged('Digest realm="r", nonce="1"'))
    assert digest.answers("INVITE", "sip:a@h", b"") == {}


def test_realms_without_end_are_bounded() -> None:
    digest = DigestClient("u", "p")
    for number in range(50):
        digest.challenged(request(), challenged(f'Digest realm="{number}", nonce="1"'))
    assert len(digest.answers("INVITE", "sip:a@h", b"")["authorization"]) == 8


@pytest.mark.parametrize(
    "value",
    [
        "",
        "Basic realm=x",
        "Digest ",
        'Digest realm="r"',
        'Digest nonce="n"',
        'Digest realm="r", nonce="n", algorithm=SHA-1',
        'Digest realm="r", nonce="n", qop="token"',
        'Digest realm="r, nonce="n"',
        'Digest realm="r" nonce="n"',
        "Digest " + 'a="\\",' * 5000,
    ],
)
def test_challenges_we_cannot_answer(value: str) -> None:
    assert read_challenge(value) is None


def test_a_password_is_not_shown() -> None:
    digest = DigestClient("u", "hush")
    digest.challenged(request(), challenged('Digest realm="r", nonce="1"'))
    assert "hush" not in repr(digest) + str(digest.answers("INVITE", "sip:a@h", b""))
