"""Bindings: where each phone has said it is to be found (RFC 3261 section 10.3).

A table in memory, without I/O and without a clock. A restart empties it; phones register anew when
their time is over, or at once if they notice.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import unquote

from callwright.engines.sip.wire.address import Malformed, Uri, Via, parse_uri
from callwright.engines.sip.wire.hop import Hop

CONTACTS_AT_MOST = 10
"Contacts of one number; a phone that forgets to take back the old ones pushes the oldest out."


class OutOfOrder(Exception):
    """The request is older than one that has been obeyed (RFC 3261 10.3 step 7)."""


@dataclass(frozen=True, slots=True)
class RequestedBinding:
    """One Contact of a REGISTER."""

    uri: str
    lasts: float
    "Seconds; 0: take it back."
    q: float = 1.0
    "Preference, 0 to 1."


@dataclass(frozen=True, slots=True)
class RegisterOrigin:
    """The REGISTER that a binding comes from."""

    source: Hop
    call_id: str
    cseq: int
    via: Via
    "Its top Via."


@dataclass(frozen=True, slots=True)
class Binding:
    """One place where a number can be rung."""

    number: str
    uri: str
    "The Contact as written; goes into the request line."
    hop: Hop
    "Where requests are sent: the Contact's host and port, or behind a NAT where it came from."
    natted: bool
    q: float
    made: float
    "Time at which it was last registered."
    ends: float
    "Time at which it is over."
    origin: RegisterOrigin


class Bindings:
    """All bindings by number. Times are seconds of any clock that only goes forward."""

    def __init__(self) -> None:
        self._numbers: dict[str, dict[tuple[object, ...], Binding]] = {}
        "Those of a number in the order they were last registered."

    def of(self, number: str, now: float) -> Sequence[Binding]:
        """The contacts of a number: those it prefers first, of equal ones the latest first."""
        self._expire(number, now)
        live = reversed(self._numbers.get(number, {}).values())
        return sorted(live, key=lambda one: -one.q)

    def register(
        self, number: str, wishes: Sequence[RequestedBinding], origin: RegisterOrigin, now: float
    ) -> Sequence[Binding]:
        """Fulfil all wishes or none; return what is new or refreshed.

        Raises `OutOfOrder`, and `Malformed` for a Contact that cannot be rung.
        """
        self._expire(number, now)
        before = self._numbers.get(number, {})
        held = dict(before)
        made: list[Binding] = []
        for wish in wishes:
            uri = parse_uri(wish.uri)
            if uri.scheme != "sip" or not uri.host:
                raise Malformed("Contact is no SIP URI")
            key = _key(uri)
            _check_order(before.get(key), origin)
            held.pop(key, None)
            if wish.lasts:
                held[key] = _binding(number, wish, uri, origin, now)
                made.append(held[key])
        while len(held) > CONTACTS_AT_MOST:
            del held[next(iter(held))]
        self._put(number, held)
        return made

    def remove_all(self, number: str, origin: RegisterOrigin, now: float) -> None:
        """Take back every contact of a number (``Contact: *``). Raises `OutOfOrder`."""
        self._expire(number, now)
        for binding in self._numbers.get(number, {}).values():
            _check_order(binding, origin)
        self._numbers.pop(number, None)

    def drop(self, binding: Binding) -> None:
        """Forget a contact that is not there any more, unless it has registered again since."""
        held = self._numbers.get(binding.number, {})
        for key, one in held.items():
            if one is binding:
                del held[key]
                break
        self._put(binding.number, held)

    def holds(self, binding: Binding) -> bool:
        """Whether a binding is neither over, nor taken back, nor replaced by a newer one."""
        return any(one is binding for one in self._numbers.get(binding.number, {}).values())

    def keep(self, numbers: Collection[str]) -> None:
        """Forget all numbers but these."""
        self._numbers = {one: held for one, held in self._numbers.items() if one in numbers}

    def is_at(self, number: str, host: str, now: float) -> bool:
        """Whether a number is registered from this address."""
        return any(one.origin.source.host == host for one in self.of(number, now))

    def __iter__(self) -> Iterator[Binding]:
        for held in self._numbers.values():
            yield from held.values()

    def _expire(self, number: str, now: float) -> None:
        if held := self._numbers.get(number):
            self._put(number, {key: one for key, one in held.items() if one.ends > now})

    def _put(self, number: str, held: Mapping[tuple[object, ...], Binding]) -> None:
        if held:
            self._numbers[number] = dict(held)
        else:
            self._numbers.pop(number, None)


def behind_nat(contact: Uri, via: Via, source: Hop) -> bool:
    """Whether somebody is to be found where his request came from, and not at his Contact.

    So it is where the Contact names another address. With the same address and another port it is
    so only if the port was changed on the way, which shows in a Via with ``rport`` (RFC 3581): a
    phone may well listen on another port than it sends from. A host name is believed.
    """
    written, came_from = _address(contact.hop.host), _address(source.host)
    if written is None:
        return False
    if written != came_from:
        return True
    return "rport" in via.params and (via.port or 5060) != source.port


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host.strip("[]"))
    except ValueError:
        return None


def _binding(
    number: str, wish: RequestedBinding, uri: Uri, origin: RegisterOrigin, now: float
) -> Binding:
    natted = behind_nat(uri, origin.via, origin.source)
    # A connection that is up is used, whoever opened it; a NAT lets nothing else through.
    hop = origin.source if natted else replace(uri.hop, flow=origin.source.flow)
    return Binding(number, wish.uri, hop, natted, wish.q, now, now + wish.lasts, origin)


def _check_order(held: Binding | None, origin: RegisterOrigin) -> None:
    """RFC 3261 10.3 step 7: within one Call-ID, only a higher CSeq counts."""
    if held is None or held.origin.call_id != origin.call_id:
        return
    if held.origin.cseq >= origin.cseq:
        raise OutOfOrder


def _key(uri: Uri) -> tuple[object, ...]:
    """What makes two Contacts the same (RFC 3261 19.1.4); of the parameters those that route."""
    routing = tuple(
        (name, (uri.params.get(name) or "").lower())
        for name in ("user", "transport", "maddr", "method", "ttl")
        if name in uri.params
    )
    user = None if uri.user is None else unquote(uri.user)
    return uri.scheme, user, uri.host.lower(), uri.port, routing
