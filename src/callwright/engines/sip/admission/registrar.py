"""The registrar: what is answered to a REGISTER of a phone (RFC 3261 section 10.3).

A request and the time go in, a response comes out; what the phone wished is then in `Bindings`.
"""

from collections.abc import Collection, Sequence
from math import ceil

from callwright.engines.sip.admission.bindings import (
    CONTACTS_AT_MOST,
    Binding,
    Bindings,
    OutOfOrder,
    RegisterOrigin,
    RequestedBinding,
)
from callwright.engines.sip.admission.digest_server import DigestServer
from callwright.engines.sip.wire.address import (
    Malformed,
    NameAddr,
    parse_name_addr,
    parse_uri,
    user_of,
)
from callwright.engines.sip.wire.hop import Hop
from callwright.engines.sip.wire.message import (
    Headers,
    SipRequest,
    SipResponse,
    answer_to,
    first,
    values,
)

SHORTEST = 60
DEFAULT = 300
LONGEST = 3600
"Seconds a phone may register for: a shorter wish is refused, a longer one cut."


class Registrar:
    def __init__(self, digest_server: DigestServer, bindings: Bindings) -> None:
        self._gate = digest_server
        self._bindings = bindings
        self.numbers: Collection[str] = ()
        "The numbers that may be registered."

    def answer(
        self, request: SipRequest, source: Hop, now: float, *, tag: str
    ) -> tuple[SipResponse, Sequence[Binding]]:
        """Return the response, whose To gets ``tag``, and what is newly registered or refreshed."""
        admitted = self._gate.admit(
            request,
            source,
            now,
            tag=tag,
            at_home=lambda user: self._bindings.is_at(user, source.host, now),
        )
        if isinstance(admitted, SipResponse):
            return admitted, ()
        made: Sequence[Binding] = ()
        extra: Headers = {}
        try:
            # A phone may register itself only.
            if user_of(parse_name_addr(request.headers["to"][0]).uri) != admitted:
                return answer_to(request, 403, "Forbidden", tag=tag), ()
            if admitted not in self.numbers:
                return answer_to(request, 403, "Forbidden", tag=tag), ()
            origin = RegisterOrigin(source, request.call_id, request.cseq, request.via)
            made = self._obey(admitted, request, origin, now)
        except TooBrief:
            extra = {"min-expires": [str(SHORTEST)]}
            return answer_to(request, 423, "Interval Too Brief", tag=tag, extra=extra), ()
        except OutOfOrder:
            return answer_to(request, 500, "Out of Order", tag=tag), ()
        except Malformed:
            return answer_to(request, 400, "Bad Contact", tag=tag), ()
        if held := self._bindings.of(admitted, now):
            extra["contact"] = [_contact(one, now) for one in held]
        return answer_to(request, 200, "OK", tag=tag, extra=extra), made

    def _obey(
        self, number: str, request: SipRequest, origin: RegisterOrigin, now: float
    ) -> Sequence[Binding]:
        contacts = [value for value in values(request, "contact") if value]
        if contacts == ["*"]:
            if first(request, "expires").strip() != "0":
                raise Malformed("Contact * without Expires 0")
            self._bindings.remove_all(number, origin, now)
            return ()
        if len(contacts) > CONTACTS_AT_MOST:
            raise Malformed("too many Contacts")
        expires = _seconds(first(request, "expires").strip() or None)
        wishes = [_wish(parse_name_addr(contact), expires) for contact in contacts]
        return self._bindings.register(number, wishes, origin, now)


class TooBrief(Exception):
    """A phone wants to be registered for less than `SHORTEST`."""


def _wish(contact: NameAddr, expires: int) -> RequestedBinding:
    parse_uri(contact.uri)
    lasts = _seconds(contact.params["expires"]) if "expires" in contact.params else expires
    if 0 < lasts < SHORTEST:
        raise TooBrief
    return RequestedBinding(contact.uri, min(lasts, LONGEST), _preference(contact.params.get("q")))


def _seconds(text: str | None) -> int:
    """Read a number of seconds; what is none counts as not said (RFC 3261 20.19)."""
    if text is None or not (text.isascii() and text.isdecimal() and len(text) <= 10):
        return DEFAULT
    return int(text)


def _preference(text: str | None) -> float:
    """Read a q-value, ``0`` to ``1`` with at most three decimals; what is none counts as 1."""
    try:
        q = float(text or "")
    except ValueError:
        return 1.0
    return q if 0.0 <= q <= 1.0 else 1.0


def _contact(binding: Binding, now: float) -> str:
    preferred = f";q={binding.q:.3g}" if binding.q != 1.0 else ""
    return f"<{binding.uri}>;expires={ceil(binding.ends - now)}{preferred}"
