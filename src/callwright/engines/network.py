"""The network as engines are told of it, and as they find it: trunks, and phones that register."""

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Trunk:
    """A way to a carrier or a PBX. Engines are told the whole list, again when it changes."""

    name: str
    host: str
    "Name or address; IPv6 without brackets."
    port: int | None = None
    "None: what SRV records of the host say, else the usual port of the transport."
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    caller_id_header: str = "from"
    """Where the caller id goes: ``from``; or, as well, ``pai`` or ``ppi`` for P-Asserted-Identity
    or P-Preferred-Identity (RFC 3325)."""
    transport: str = "udp"
    "``udp``, ``tcp`` or ``tls``."
    tls_verify: bool = True
    "Whether the trunk's certificate must be a good one, made out to ``host``."
    tls_ca: Path | None = None
    "File of the authorities believed for this trunk, in PEM; None: those the system believes."
    register: bool = False
    "Register there as ``user``, so that calls come in (RFC 3261 section 10)."
    expires: int = 300
    "Seconds a registration is asked for."
    options_ping: float | None = None
    "Seconds between two questions (OPTIONS) whether the trunk is there; None: it is not asked."
    srtp: bool = False
    "Audio goes over SRTP, or not at all."
    from_user: str | None = None
    "User in From of calls and of OPTIONS; None: the caller id, and ``user``."
    from_domain: str | None = None
    "Host of our address there, in From and when we register; None: ``host``."
    symmetric_rtp: bool = True
    "Its audio may come from elsewhere than its SDP says, as through a NAT; and is then sent there."
    country: str | None = None
    """ISO 3166 letters of the country in whose form numbers come from there; None: they come in
    E.164 form."""
    national_prefix: str | None = None
    "What then stands before numbers of the country; None: what its numbering plan says."


class TrunkRegistration(StrEnum):
    """How it stands with our registration at a trunk."""

    OFF = "off"
    "None is wanted."
    TRYING = "trying"
    "Asked for, or to be asked for again after a failure."
    REGISTERED = "registered"
    REFUSED = "refused"
    "The trunk does not want us as we are set up; it is asked again, rarely."


@dataclass(frozen=True, slots=True)
class TrunkState:
    """What is known of a trunk at this moment."""

    name: str
    registration: TrunkRegistration
    registered_for: float | None = None
    "Seconds until the registration ends unless it is refreshed; None: there is none."
    reachable: bool | None = None
    "Whether the latest OPTIONS was answered; None: none has been sent, or is not back yet."
    round_trip: float | None = None
    "Seconds from the latest OPTIONS to its answer."
    detail: str = ""
    "Why we are not registered, or not answered: what the trunk said, or why it cannot be asked."
    ping_refusal: str = ""
    "What the latest OPTIONS was answered, if not by 200: whoever refuses it is there all the same."
    call_refusal: str = ""
    "What the latest call was answered, if the trunk did not take it for ours (401, 403, 407)."


@dataclass(frozen=True, slots=True)
class Registered:
    """A place from which a phone has registered."""

    address: str
    "Its IP address."
    ago: float
    "Seconds since it last did."


@dataclass(frozen=True, slots=True)
class SipAccount:
    """A phone that registers with us. Engines are told the whole list, again when it changes."""

    number: str
    "Its SIP number, which is also the user it proves itself as."
    password: str = field(repr=False)
    srtp: bool = False
    "Its calls must come with SRTP."
