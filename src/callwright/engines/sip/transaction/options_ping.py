"""OPTIONS pings: whether a place is there, asked again and again (RFC 3261 section 11)."""

import secrets
from collections.abc import Callable

from callwright.engines.sip.transaction.request_sender import RequestSender
from callwright.engines.sip.transaction.transactions import Lost
from callwright.engines.sip.wire.hop import Hop
from callwright.engines.sip.wire.message import SipRequest, SipResponse

Told = Callable[[float | None, str, float], None]
"""Gets the seconds an answer took, or None if there was none; what it said if it was no 200, or why
there was none; and the time."""


class OptionsPing:
    """Asks one place. Any answer will do: whoever refuses OPTIONS is there."""

    def __init__(
        self,
        sender: RequestSender,
        uri: str,
        hop: Hop,
        every: float,
        told: Told,
        *,
        from_uri: str | None = None,
    ) -> None:
        """``every``: seconds from an answer, or from giving up, to the next question.

        ``from_uri``: who asks; left out, merely this program.
        """
        self._sender = sender
        self._uri = uri
        self._hop = hop
        self._every = every
        self._told = told
        identity = sender.identity
        asker = from_uri or f"sip:callwright@{identity.sent_by}"
        self._from = f"<{asker}>;tag={secrets.token_hex(8)}"
        self._call_id = f"{secrets.token_hex(16)}@{identity.host}"
        self._cseq = 0
        self._sent_at = 0.0
        self._stopped = False

    def start(self, now: float) -> None:
        """Ask now, and go on asking."""
        if not self._stopped:
            self._sent_at = now
            self._sender.send(self._build, now, self._answered)

    def stop(self) -> None:
        self._stopped = True

    def _build(self) -> tuple[SipRequest, Hop]:
        self._cseq += 1
        headers = {
            "max-forwards": ["70"],
            "from": [self._from],
            "to": [f"<{self._uri}>"],
            "call-id": [self._call_id],
            "cseq": [f"{self._cseq} OPTIONS"],
            "contact": [self._sender.identity.contact],
            "accept": ["application/sdp"],
        }
        return SipRequest("OPTIONS", self._uri, headers), self._hop

    def _answered(self, what: SipResponse | Lost, now: float) -> None:
        if self._stopped or (isinstance(what, SipResponse) and what.status < 200):
            return
        self._sender.layer.at(now + self._every, self.start)
        if isinstance(what, Lost):
            self._told(None, what.value, now)
        else:
            refusal = f"{what.status} {what.reason}" if what.status >= 300 else ""
            self._told(now - self._sent_at, refusal, now)
