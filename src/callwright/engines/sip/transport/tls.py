"""TLS: what we show of ourselves, and whom we believe (RFC 3261 26.3, RFC 5922)."""

import ssl
from collections.abc import Iterable, Mapping
from functools import lru_cache
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from callwright.engines.sip.wire.address import Malformed, parse_uri
from callwright.engines.sip.wire.hop import Trust, is_address


class Distrusted(ssl.SSLError):
    """The certificate is good, but not for whom we meant to reach."""


def server_context(certificate: Path, key: Path | None) -> ssl.SSLContext:
    """Make what clients of ours are shown. Raises `OSError`; `ssl.SSLError` is one."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    return context


@lru_cache(maxsize=64)
def client_context(
    trust: Trust, certificate: Path | None = None, key: Path | None = None
) -> ssl.SSLContext:
    """Make what servers are checked by; ours is shown to those who ask. Raises `OSError`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = False  # RFC 5922 knows names in URIs, which OpenSSL does not
    if not trust.verify:
        context.verify_mode = ssl.CERT_NONE
    elif trust.ca is not None:
        context.load_verify_locations(trust.ca)
    else:
        context.load_default_certs()
    if certificate is not None:
        context.load_cert_chain(certificate, key)
    return context


def check_name(certificate: Mapping[str, Any] | None, wanted: str) -> None:
    """Check that a verified certificate, as `ssl` reads it, is made out to ``wanted``.

    RFC 5922 7.1: SIP URIs in it count before DNS names. Beyond 7.2, a DNS name may begin with
    ``*.`` for one label, because certificates of carriers do. Raises `Distrusted`.
    """
    names: Iterable[tuple[str, str]] = (certificate or {}).get("subjectAltName", ())
    if is_address(wanted):
        good = any(kind == "IP Address" and _same_address(name, wanted) for kind, name in names)
    else:
        uris = [host for kind, name in names if kind == "URI" and (host := _sip_domain(name))]
        hosts = uris or [name for kind, name in names if kind == "DNS"]
        good = any(_is_for(host.lower(), wanted.lower().rstrip(".")) for host in hosts)
    if not good:
        raise Distrusted(f"the certificate is not for {wanted}")


def _same_address(one: str, other: str) -> bool:
    try:
        return ip_address(one.strip()) == ip_address(other)
    except ValueError:
        return False


def _sip_domain(uri: str) -> str | None:
    """The host of a SIP URI without a user, the only kind that names a domain."""
    try:
        read = parse_uri(uri)
    except Malformed:
        return None
    return read.host if read.scheme == "sip" and read.user is None else None


def _is_for(name: str, wanted: str) -> bool:
    if name.startswith("*."):
        label, dot, rest = wanted.partition(".")
        return bool(label and dot) and "." in rest and rest == name[2:]
    return name == wanted
