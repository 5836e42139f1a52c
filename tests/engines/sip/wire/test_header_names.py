"""How we spell the names of header fields, beside the IANA registry of them."""

import re

import pytest

from callwright.engines.sip.wire.message import SipRequest, parse

_NAMES = """
Accept Accept-Contact Accept-Encoding Accept-Language Accept-Resource-Priority Additional-Identity
Alert-Info AlertMsg-Error Allow Allow-Events Answer-Mode Authentication-Info Authorization Call-ID
Call-Info Cellular-Network-Info Contact Content-Disposition Content-Encoding Content-ID
Content-Language Content-Length Content-Type CSeq Date DC-Info Encryption Error-Info Event Expires
Feature-Caps Flow-Timer From Geolocation Geolocation-Error Geolocation-Routing Hide History-Info
Identity Identity-Info In-Reply-To Info-Package Join Max-Breadth Max-Forwards MIME-Version
Min-Expires Min-SE Organization P-Access-Network-Info P-Answer-State P-Asserted-Identity
P-Asserted-Service P-Associated-URI P-Called-Party-ID P-Charge-Info P-Charging-Function-Addresses
P-Charging-Vector P-DCS-Billing-Info P-DCS-LAES P-DCS-OSPS P-DCS-Redirect P-DCS-Trace-Party-ID
P-Early-Media P-Media-Authorization P-Preferred-Identity P-Preferred-Service
P-Private-Network-Indication P-Profile-Key P-Refused-URI-List P-Served-User P-User-Database
P-Visited-Network-ID Path Permission-Missing Policy-Contact Policy-ID Priority Priority-Share
Priv-Answer-Mode Privacy Proxy-Authenticate Proxy-Authorization Proxy-Require RAck Reason
Reason-Phrase Record-Route Recv-Info Refer-Events-At Refer-Sub Refer-To Referred-By Reject-Contact
Relayed-Charge Replaces Reply-To Request-Disposition Require Resource-Priority Resource-Share
Response-Key Response-Source Restoration-Info Retry-After Route RSeq Security-Client
Security-Server Security-Verify Server Service-Interact-Info Service-Route Session-Expires
Session-ID SIP-ETag SIP-If-Match Subject Subscription-State Supported Suppress-If-Match
Target-Dialog Timestamp To Trigger-Consent Unsupported User-Agent User-to-User Via Warning
WWW-Authenticate
"""
REGISTRY = re.findall(r"\S+", _NAMES)

# Not registered, and yet in use.
CUSTOMARY = ["Remote-Party-ID"]


@pytest.mark.parametrize("name", [*REGISTRY, *CUSTOMARY])
def test_a_header_is_spelled_as_its_rfc_spells_it(name: str) -> None:
    sent = bytes(SipRequest("OPTIONS", "sip:pbx.example", {name.lower(): ["0"]}))
    assert f"\r\n{name}: 0\r\n".encode() in sent


@pytest.mark.parametrize("name", ["Www-Authenticate", "CALL-ID", "p-asserted-identity", "i"])
def test_any_case_is_read(name: str) -> None:
    text = (
        "SIP/2.0 401 Unauthorized\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n"
        "From: <sip:a@192.0.2.1>;tag=1\r\nTo: <sip:b@192.0.2.2>;tag=2\r\nCSeq: 1 REGISTER\r\n"
    )
    if name not in ("CALL-ID", "i"):
        text += "Call-ID: 1\r\n"
    message = parse(f"{text}{name}: value\r\n\r\n".encode())
    assert message.headers["call-id" if name == "i" else name.lower()] == ["value"]
