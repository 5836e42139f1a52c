"""Environment: what a service stands in, and where a sandbox differs from production."""

import logging
import os
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, assert_never

from argon2 import PasswordHasher

from callwright.calls.manager import CallManager
from callwright.calls.recording import unguessable
from callwright.clock import Clock
from callwright.config import Settings, SipSettings, StartFault
from callwright.directory.model import VirtualNumber
from callwright.downloads.links import Links
from callwright.engines.port import Engine, LegId, RecordingId
from callwright.engines.simulated.engine import SimulatedEngine
from callwright.methods.messages import SpeechSynthesis
from callwright.rpc.dispatch import AnyMethod
from callwright.rpc.events import StreamTimings
from callwright.rpc.http import BODY_WITHIN
from callwright.storage.history.heartbeat import EVERY
from callwright.storage.history.journal import GATHERED_FOR
from callwright.storage.trunk_states import LOOKED_AT_EVERY

if TYPE_CHECKING:
    from callwright.engines.media.kernel.relay import KernelRelay
    from callwright.engines.media.media import MediaEngine

log = logging.getLogger(__name__)

PLACES_BEGIN_BELOW = 1 << 31
"Half of a block: two thousand million events of one start of the service have places behind."
DIRECTORY_LOOK = 1.0
"Seconds between looks at whether ``callwright apply`` has changed the directory."


class SpeechEngine(SpeechSynthesis, Protocol):
    async def run(self) -> None:
        """Speak what is prepared, until cancelled."""


def _engine(settings: Settings, next_leg: Callable[[], LegId]) -> Engine:
    match settings.engine:
        case "simulated":
            return SimulatedEngine()
        case "sip":
            # Only here, as for the media and the speech: a sandbox starts without them.
            from callwright.engines.sip.engine import SipEngine

            _check_certificate(settings.sip)
            return SipEngine(
                settings.sip,
                _media(settings),
                next_leg=next_leg,
                journal=settings.data / "open-legs",
            )
        case _:
            assert_never(settings.engine)


def _check_certificate(sip: SipSettings) -> None:
    """Load what SIP over TLS is served with, to name the setting that is wrong."""
    from callwright.engines.sip.transport.tls import server_context

    if sip.tls_certificate is None:
        return
    files = {"tls_certificate": sip.tls_certificate}
    if sip.tls_key is not None:
        files["tls_key"] = sip.tls_key
    for name, file in files.items():
        try:
            file.open("rb").close()
        except OSError as fault:
            raise StartFault(f"sip.{name}: {file}: {fault.strerror}") from fault
    try:
        server_context(sip.tls_certificate, sip.tls_key)
    except OSError as fault:
        raise StartFault(
            f"sip.tls_certificate: {sip.tls_certificate}: no certificate with its key, in PEM "
            f"({fault.strerror})"
        ) from fault


def workers_for(cores: int) -> int:
    """How many media workers ``cores`` cores are given.

    Signalling has a core to itself where there are three or more. Of two it leaves most of its own
    unused, and audio that had to get by with the other would be late.
    """
    return cores if cores <= 2 else cores - 1


def _media(settings: Settings) -> "MediaEngine":
    from callwright.engines.sip.transport.own_address import own_address

    kernel = _kernel_relay(settings)
    host, ports = str(settings.sip.host), settings.sip.rtp_ports
    advertise = str(settings.sip.advertise or own_address(host))
    match settings.media.workers:
        case "auto":
            workers = workers_for(len(os.sched_getaffinity(0)))
        case workers:
            pass
    if not workers:
        from callwright.engines.media.engine import RtpEngine

        return RtpEngine(host, advertise, ports, settings.media.lost_after, kernel=kernel)
    from callwright.engines.media.worker_pool import WorkerPool

    if kernel is not None:
        kernel.close()  # it can be had: each worker has one of its own
    return WorkerPool(
        workers,
        host,
        advertise,
        ports,
        settings.media.lost_after,
        kernel_relay=kernel is not None,
    )


def _kernel_relay(settings: Settings) -> "KernelRelay | None":
    """Have the kernel relay talks, if it is to and can."""
    from callwright.engines.media.kernel.relay import KernelRelay, NoKernelRelay

    wanted = settings.media.kernel_relay
    if wanted == "off":
        return None
    try:
        kernel = KernelRelay()
    except NoKernelRelay as fault:
        if wanted == "on":
            raise StartFault(
                f"media.kernel_relay is on, and the kernel cannot relay for us: {fault}"
            ) from fault
        log.info("talks are not relayed by the kernel: %s", fault)
        return None
    log.info("talks are relayed by the kernel where nothing else is to be done to them")
    return kernel


def _speech(settings: Settings) -> SpeechEngine:
    from callwright.speech.service import SpeechService

    return SpeechService(settings.data / "speech", settings.speech)


def _no_more(_manager: CallManager, _links: Links) -> Sequence[AnyMethod]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """The defaults are those of production."""

    clock: Clock = Clock()
    engine: Callable[[Settings, Callable[[], LegId]], Engine] = _engine
    speech: Callable[[Settings], SpeechEngine] = _speech
    methods: Callable[[CallManager, Links], Sequence[AnyMethod]] = _no_more
    "Methods of its own, after all others."
    choose: Callable[[Sequence[VirtualNumber]], VirtualNumber] = secrets.choice
    "Takes one of several at random."
    record_of: Callable[[RecordingId], str] = unguessable
    "The id clients know a recording by."
    hasher: PasswordHasher | None = None
    "Of passwords; None: the usual one."
    body_within: float = BODY_WITHIN
    "Seconds a client has to send the body of a request."
    streams: StreamTimings = StreamTimings()
    "How long things may take with clients that listen to events."
    directory_look: float = DIRECTORY_LOOK
    trunks_look: float = LOOKED_AT_EVERY
    "Seconds between looks at the directory, and at the trunks."
    beat: float = EVERY
    "Seconds between proofs of life, and between looks at the points that were taken."
    gathered_for: float = GATHERED_FOR
    "Seconds the journal gathers events before it writes them; 0: it writes at once."
    places_begin: Callable[[], int] = lambda: secrets.randbelow(PLACES_BEGIN_BELOW)
    """Where in its block the first event's place in the log is. By chance: on a backup that is put
    in place, a start takes the block that a later one had before, and whoever listened then and
    comes back with a place of those days must not find another event there."""
    durable: bool = True
    "Whether what is written outlives a power cut."
