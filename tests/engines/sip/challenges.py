"""Challenges as servers write them, and the digest checked the way a server does it."""

import hashlib
import re

import sipmessage


def challenge(status: int, nonce: str, *, more: str = "") -> str:
    name = "WWW-Authenticate" if status == 401 else "Proxy-Authenticate"
    return f'{name}: Digest realm="a, realm", nonce="{nonce}", qop="auth,auth-int"{more}'


def proves(request: sipmessage.Request, nonce: str, header: str = "Proxy-Authorization") -> str:
    """Check the digest the way a server does; return the nonce count."""
    value = request.headers[header]
    params = dict(re.findall(r'(\w+)="?([^",]*(?:, realm)?)"?', value))
    assert params["nonce"] == nonce
    assert params["uri"] == str(request.uri)

    algorithm = params.get("algorithm", "MD5").replace("-", "")

    def hashed(text: str) -> str:
        return hashlib.new(algorithm, text.encode()).hexdigest()

    a1 = hashed(f"carol:{params['realm']}:secret")
    a2 = hashed(f"{request.method}:{request.uri}")
    expected = hashed(f"{a1}:{nonce}:{params['nc']}:{params['cnonce']}:auth:{a2}")
    assert params["response"] == expected
    return str(params["nc"])
