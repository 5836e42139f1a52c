"""Admission: who may call us, and as whom (RFC 3261 8.2, 22.2).

What does not come from a trunk or a phone of ours is kept out statelessly, by the same answer
whatever number it is for. Of a flood of strangers nothing stays but the throttle's bounded table.
"""

import logging
from collections.abc import Mapping, Sequence, Set
from dataclasses import replace

from callwright.bounded_table import BoundedTable
from callwright.engines.network import SipAccount, Trunk
from callwright.engines.sip.admission.bindings import Binding, Bindings, behind_nat
from callwright.engines.sip.admission.digest_server import ALGORITHMS, DigestServer
from callwright.engines.sip.admission.numbers import called_by, caller_of, number_in
from callwright.engines.sip.admission.registrar import Registrar
from callwright.engines.sip.dialog.invite_server import IncomingInvite, read_invite
from callwright.engines.sip.transaction.digest_client import DigestClient
from callwright.engines.sip.wire.address import Malformed, parse_name_addr, parse_uri, user_of
from callwright.engines.sip.wire.hop import Hop, Transport
from callwright.engines.sip.wire.message import (
    SipRequest,
    SipResponse,
    answer_to,
    contact,
)
from callwright.engines.sip.wire.sdp import G711, AudioProfile

log = logging.getLogger(__name__)

CONNECTIONS_KNOWN = 4096
"Connections remembered over which a password was shown; of more, the one where it is longest ago."


class Admission:
    """Trunks, phones and where they are, as those who send us requests are told apart."""

    def __init__(
        self,
        realm: str,
        secret: bytes,
        algorithms: Sequence[str] = ALGORITHMS,
        *,
        speech: AudioProfile = G711,
    ) -> None:
        """See `DigestServer`.

        ``speech``: what callers may speak; where they are to use SRTP, they must.
        """
        self._speech = speech
        self.digest_server = DigestServer(realm, secret, algorithms)
        self.bindings = Bindings()
        self.registrar = Registrar(self.digest_server, self.bindings)
        self._trunks: Mapping[str, Trunk] = {}
        self._phones: Sequence[SipAccount] = ()
        self._shut_out: Set[str] = frozenset()
        "Numbers of phones that cannot register, as the log has been told."
        self._hosts: Mapping[str, Sequence[str]] = {}
        self._secure: frozenset[str] = frozenset()
        "Numbers of phones that speak SRTP only."
        self._proved: BoundedTable[tuple[Transport, int], bool] = BoundedTable(CONNECTIONS_KNOWN)
        "Connections by kind and flow; whether the password was a trunk's."

    def use_trunks(self, trunks: Sequence[Trunk]) -> None:
        self._trunks = {trunk.name: trunk for trunk in trunks}
        self._admit()

    def use_phones(self, phones: Sequence[SipAccount]) -> None:
        """Take the phones; whoever has another password now must register anew."""
        self._phones = phones
        self._admit()

    def _admit(self) -> None:
        """Set who is admitted by password: a phone numbered as a trunk's user is not."""
        trunks = {
            trunk.user: trunk.password
            for trunk in self._trunks.values()
            if trunk.user is not None and trunk.password is not None
        }
        shut_out = {phone.number for phone in self._phones} & trunks.keys()
        for number in sorted(shut_out - self._shut_out):
            log.warning("no phone can register as %s: a trunk has that user", number)
        self._shut_out = shut_out
        own = [phone for phone in self._phones if phone.number not in trunks]
        phones = {phone.number: phone.password for phone in own}
        before = self.digest_server.passwords
        unchanged = [one for one in self.registrar.numbers if phones.get(one) == before[one]]
        self.bindings.keep(unchanged)
        self._secure = frozenset(phone.number for phone in own if phone.srtp)
        self.registrar.numbers = phones.keys()
        self.digest_server.passwords = {**phones, **trunks}

    def use_hosts(self, hosts: Mapping[str, Sequence[str]]) -> None:
        """Take the addresses that the trunks' host names have, by trunk."""
        self._hosts = hosts

    def knows(self, source: Hop) -> bool:
        """Whether a trunk sends from there."""
        return self._trunk_at(source) is not None or self._proved.get(_key(source)) is True

    def has_proved(self, connection: Hop) -> bool:
        """Whether a trunk is at the far end of a connection, or a password was shown over it."""
        return self._proved.get(_key(connection)) is not None or self.knows(connection)

    def forget(self, connection: Hop) -> None:
        """Note that a connection has ended: its proof is to keep nobody else's out."""
        self._proved.forget(_key(connection))

    @property
    def takes_registrations(self) -> bool:
        return bool(self.registrar.numbers)

    def register(
        self, request: SipRequest, source: Hop, now: float, *, tag: str
    ) -> tuple[SipResponse, Sequence[Binding]]:
        """Answer a REGISTER; see `Registrar.answer`."""
        response, made = self.registrar.answer(request, source, now, tag=tag)
        if response.status == 200:
            self._note_proof(source, of_trunk=False)
        return response, made

    def invited(
        self, request: SipRequest, source: Hop, now: float, *, tag: str
    ) -> IncomingInvite | SipResponse:
        """Tell whose call an INVITE is, or how it is refused. ``tag`` is ours."""
        trunk = None if self._is_of_phone(request, source, now) else self._trunk_at(source)
        if trunk is None:
            if not self.digest_server.passwords:
                return answer_to(request, 403, "Forbidden", tag=tag)
            admitted = self.digest_server.admit(
                request,
                source,
                now,
                tag=tag,
                at_home=lambda user: self.bindings.is_at(user, source.host, now),
            )
            if isinstance(admitted, SipResponse):
                return admitted
            self._note_proof(source, of_trunk=admitted not in self.registrar.numbers)
            if admitted in self.registrar.numbers:
                return self._of_phone(admitted, request, source, tag)
            trunk = next(one for one in self._trunks.values() if one.user == admitted)
        return read_invite(
            request,
            source,
            caller=caller_of(request, trunk),
            called=called_by(request, trunk),
            trunk=trunk.name,
            digest=DigestClient(trunk.user, trunk.password),
            speech=replace(self._speech, srtp=trunk.srtp, symmetric=trunk.symmetric_rtp),
            tag=tag,
            natted=False,
        )

    def _note_proof(self, source: Hop, *, of_trunk: bool) -> None:
        if source.flow is not None:
            self._proved.set(_key(source), of_trunk)

    def _trunk_at(self, source: Hop) -> Trunk | None:
        """The trunk that sends from an address; of several there, the one with that very port."""
        at = [
            trunk
            for name, trunk in self._trunks.items()
            if source.host == trunk.host or source.host in self._hosts.get(name, ())
        ]
        return next((one for one in at if one.port == source.port), at[0] if at else None)

    def _is_of_phone(self, request: SipRequest, source: Hop, now: float) -> bool:
        """Whether it is the call of a phone on the same machine as a trunk."""
        if any(one.port == source.port for one in self._trunks.values() if one.host == source.host):
            return False
        try:
            user = user_of(parse_name_addr(request.headers["from"][0]).uri)
        except Malformed:
            return False
        return self.bindings.is_at(user, source.host, now)

    def _of_phone(
        self, number: str, request: SipRequest, source: Hop, tag: str
    ) -> IncomingInvite | SipResponse:
        return read_invite(
            request,
            source,
            caller=number,
            called=number_in(request.uri),
            trunk=None,
            digest=DigestClient(None, None),
            speech=replace(self._speech, srtp=number in self._secure),
            tag=tag,
            natted=_is_natted(request, source),
        )


def _key(connection: Hop) -> tuple[Transport, int]:
    """What a connection is remembered by; of what came by none, one that is never set."""
    return connection.transport, connection.flow or 0


def _is_natted(request: SipRequest, source: Hop) -> bool:
    try:
        there = contact(request)
        return there is not None and behind_nat(parse_uri(there.uri), request.via, source)
    except Malformed:
        return False
