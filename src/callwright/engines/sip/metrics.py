"""Metrics: what the SIP engine counts for whoever watches it."""

from collections import Counter
from collections.abc import Iterator, Sequence

from callwright.engines.network import TrunkRegistration, TrunkState
from callwright.engines.sip.admission.admission import Admission
from callwright.figures import Figure


def figures_of(
    trunks: Sequence[TrunkState], admission: Admission, dropped: int
) -> Iterator[Figure]:
    """Count trunks and phones by their states. ``dropped``: messages that came to nothing."""
    registrations = Counter(trunk.registration for trunk in trunks)
    for registration in TrunkRegistration:
        yield Figure(
            "callwright_trunk_registrations",
            "Trunks, by the state of our registration there.",
            registrations[registration],
            {"state": registration.value},
        )
    for answered, word in ((True, "yes"), (False, "no"), (None, "unknown")):
        yield Figure(
            "callwright_trunks",
            "Trunks, by whether they have answered when they were last asked.",
            sum(trunk.reachable is answered for trunk in trunks),
            {"reachable": word},
        )
    registered = len({binding.number for binding in admission.bindings})
    unregistered = len(admission.registrar.numbers) - registered
    for word, count in (("registered", registered), ("unregistered", unregistered)):
        yield Figure(
            "callwright_phones",
            "Phones that may register, by whether they have.",
            count,
            {"state": word},
        )
    yield Figure(
        "callwright_sip_wrong_passwords_total",
        "Wrong passwords of whoever claimed to be a phone or a trunk.",
        admission.digest_server.wrong,
    )
    yield Figure(
        "callwright_sip_dropped_total", "SIP messages and datagrams that came to nothing.", dropped
    )
