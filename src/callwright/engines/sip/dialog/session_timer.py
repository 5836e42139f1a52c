"""Session timers: how long a session lasts without a refresh, and which side sends it (RFC 4028).

A phone that has lost its power says no BYE. So each session is refreshed now and then by one side;
the other side, or the one that gets no reply, ends it. A far end that does not know session timers
is refreshed all the same: what it answers does not matter then, only that it does.
"""

from collections.abc import Callable
from dataclasses import dataclass

from callwright.engines.sip.transaction.layer import Alarm, TransactionLayer
from callwright.engines.sip.wire.address import Malformed, parse_params
from callwright.engines.sip.wire.message import Headers, SipRequest, SipResponse, first, tokens

MIN_SE = 90
"Shortest interval we agree to, in seconds; RFC 4028 section 4 allows none below."
LONGEST = 86_400
"Longest interval we let ourselves be raised to."
SHORTEST = 30
"Some answer with less than RFC 4028 allows; they are not refreshed more often than this asks."
RAISES_AT_MOST = 4
"Proxies on one path that may each want a longer interval."
SOON = 5.0
"Seconds; with no more left a refresh is not tried once more."


@dataclass(frozen=True, slots=True)
class SessionTerms:
    """What holds between two refreshes."""

    interval: int
    "Seconds."
    we_refresh: bool
    binding: bool
    "The session ends without a refresh. Else the far end knows no timers, and we only look."


class WantedInterval:
    """The interval we ask for in one call; those who answer 422 raise it."""

    def __init__(self, interval: int) -> None:
        """``interval``: seconds, 90 or more."""
        self.interval = interval
        self._min_se = MIN_SE
        self._raises = 0

    def headers(self, refresher: str = "") -> Headers:
        """What goes into an INVITE or UPDATE of ours; ``refresher`` is ``uac``, ``uas`` or open."""
        role = f";refresher={refresher}" if refresher else ""
        return {
            "session-expires": [f"{self.interval}{role}"],
            "min-se": [str(self._min_se)],
        }

    def settled(self, terms: SessionTerms) -> None:
        """Ask for what has been agreed on from now on (section 7.4)."""
        if terms.binding:
            self.interval = max(terms.interval, self._min_se)

    def raised_by(self, refusal: SipResponse) -> bool:
        """Take the Min-SE of a 422; say whether asking again makes sense (section 7.3)."""
        least, _ = _read(first(refusal, "min-se"))
        self._raises += 1
        if not self.interval < least <= LONGEST or self._raises > RAISES_AT_MOST:
            return False
        self.interval = self._min_se = least
        return True


def agreed(response: SipResponse, wanted: WantedInterval) -> SessionTerms:
    """Read the 2xx to an INVITE or UPDATE of ours (section 7.2)."""
    interval, refresher = _read(first(response, "session-expires"))
    if not interval:
        return SessionTerms(wanted.interval, we_refresh=True, binding=False)
    interval = min(max(interval, SHORTEST), LONGEST)
    return SessionTerms(interval, we_refresh=refresher != "uas", binding=True)


def answer(request: SipRequest, wanted: WantedInterval) -> tuple[SessionTerms, Headers]:
    """Agree to the far end's INVITE or UPDATE, and say so in the 2xx (section 9, table 2)."""
    knows = "timer" in tokens(request, "supported")
    interval, refresher = _read(first(request, "session-expires"))
    if not interval and not knows:
        return SessionTerms(wanted.interval, we_refresh=True, binding=False), {}
    if not interval:
        # Who could have asked and did not, leaves it to us.
        least, _ = _read(first(request, "min-se"))
        interval = min(max(wanted.interval, least), LONGEST)
        refresher = "uas"
    if not knows:
        refresher = "uas"  # a proxy wants it, and the far end cannot
    elif refresher != "uas":
        refresher = "uac"
    headers: Headers = {"session-expires": [f"{interval};refresher={refresher}"]}
    if refresher == "uac":
        headers["require"] = ["timer"]
    interval = min(max(interval, SHORTEST), LONGEST)
    return SessionTerms(interval, we_refresh=refresher == "uas", binding=True), headers


def too_brief(request: SipRequest) -> Headers | None:
    """Tell what a 422 to a request says, if it wants refreshes more often than we take them.

    None also for one that comes from somebody who would not understand a 422 (section 9).
    """
    interval, _ = _read(first(request, "session-expires"))
    if 0 < interval < MIN_SE and "timer" in tokens(request, "supported"):
        return {"min-se": [str(MIN_SE)]}
    return None


class SessionTimer:
    """Runs one call's terms: says when to refresh, and when the session has expired."""

    def __init__(
        self,
        layer: TransactionLayer,
        *,
        refresh: Callable[[float], None],
        expired: Callable[[float], None],
    ) -> None:
        self._layer = layer
        self._refresh = refresh
        self._expired = expired
        self._terms: SessionTerms | None = None
        self._ends = float("inf")
        self._alarms: list[Alarm] = []

    def start(self, terms: SessionTerms, now: float) -> None:
        """Begin, or begin anew after a refresh by either side."""
        self.stop()
        self._terms = terms
        if terms.we_refresh:
            self._alarms.append(self._layer.at(now + terms.interval / 2, self._refresh))
        self._ends = float("inf")
        if terms.binding:
            # Section 10: who waits for a refresh ends the session a little early, so that its BYE
            # still finds the proxies on the way.
            early = 0.0 if terms.we_refresh else min(32.0, terms.interval / 3)
            self._ends = now + terms.interval - early
            self._alarms.append(self._layer.at(self._ends, self._expired))

    def not_refreshed(self, now: float) -> None:
        """Try again later: the far end is there, but has refused the refresh."""
        if self._terms is None:
            return
        after = (self._ends - now) / 2 if self._terms.binding else self._terms.interval / 2
        if after >= SOON:
            self._alarms.append(self._layer.at(now + after, self._refresh))

    def stop(self) -> None:
        for alarm in self._alarms:
            alarm.call_off()
        self._alarms.clear()


def _read(value: str) -> tuple[int, str]:
    """Seconds and refresher of a Session-Expires or Min-SE; 0 where there is nothing sensible."""
    seconds, _, rest = value.partition(";")
    seconds = seconds.strip()
    if not (seconds.isascii() and seconds.isdecimal()) or len(seconds) > 10:
        return 0, ""
    try:
        refresher = parse_params(rest).get("refresher") or ""
    except Malformed:
        refresher = ""
    return int(seconds), refresher.strip().lower()
