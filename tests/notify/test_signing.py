"""Signatures: as the Standard Webhooks library verifies them, and as its specification shows."""

from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

from callwright.directory.webhook import key_of_secret, new_secret
from callwright.notify.signing import signed

TIMESTAMP = "webhook-timestamp"


def headers(content: bytes, *secrets: str, age: float = 0.0) -> dict[str, str]:
    # The library compares with the clock on the wall.
    when = datetime.now(UTC) - timedelta(seconds=age)
    return {
        name.decode(): value.decode() for name, value in signed("wh1-5-2", when, content, secrets)
    }


def test_the_example_of_the_specification() -> None:
    """The Standard Webhooks reference libraries all test this one."""
    found = dict(
        signed(
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            datetime.fromtimestamp(1614265330, UTC),
            b'{"test": 2432232314}',
            ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
        )
    )
    assert found[b"webhook-timestamp"] == b"1614265330"
    assert found[b"webhook-signature"] == b"v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_library_verifies_it() -> None:
    secret = new_secret()
    content = '{"text": "Привет"}'.encode()
    Verifier(secret).verify(content, headers(content, secret))


def test_what_was_changed_is_not_verified() -> None:
    secret = new_secret()
    signed_headers = headers(b"{}", secret)
    for content, changed in (
        (b"{ }", signed_headers),
        (b"{}", {**signed_headers, "webhook-id": "wh1-5-3"}),
        (b"{}", {**signed_headers, TIMESTAMP: headers(b"{}", age=1.0)[TIMESTAMP]}),
        (b"{}", headers(b"{}", new_secret())),
    ):
        with pytest.raises(WebhookVerificationError, match="No matching signature"):
            Verifier(secret).verify(content, changed)


def test_either_of_two_secrets_verifies_it() -> None:
    old, new = new_secret(), new_secret()
    both = headers(b"{}", new, old)
    for secret in (old, new):
        Verifier(secret).verify(b"{}", both)


def test_secrets() -> None:
    assert len({new_secret() for _ in range(10)}) == 10
    assert len(key_of_secret(new_secret())) == 32
    for secret in (
        "",
        "whsec_",
        "whsec_c2hvcnQ=",
        "whsec_" + "A" * 120,
        new_secret()[6:],
        "whsec_ё",
    ):
        with pytest.raises(ValueError, match="24 to 64 bytes"):
            key_of_secret(secret)
