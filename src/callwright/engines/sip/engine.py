"""The embedded SIP engine: calls over our own user agent and media."""

import asyncio
import logging
import random
import secrets
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, assert_never

import anyio

from callwright.config import SipSettings
from callwright.engines.media.media import (
    KeyForwarded,
    MediaEngine,
    MediaEvent,
    MediaLost,
    MediaWorkerLost,
    NoPorts,
)
from callwright.engines.port import (
    Address,
    Cause,
    Deliver,
    DtmfFailed,
    DtmfReceived,
    DtmfSent,
    EarlyMediaStarted,
    EngineEvent,
    LegConnected,
    LegHeld,
    LegId,
    LegOffered,
    LegReleased,
    LegResumed,
    LegRinging,
    RecordingFinished,
    TransferAsked,
)
from callwright.engines.sip.admission.admission import Admission
from callwright.engines.sip.dialog.call_leg import CallLeg, Fact, Referred, StreamAgreed
from callwright.engines.sip.dialog.crash_cleanup import CrashCleanup
from callwright.engines.sip.dialog.invite_server import IncomingInvite
from callwright.engines.sip.dialog.refer import Refer
from callwright.engines.sip.driver import Driver
from callwright.engines.sip.event_queue import EventQueue
from callwright.engines.sip.instance import instance_of
from callwright.engines.sip.journal_file import JournalFile
from callwright.engines.sip.media_hosts import MediaHosts
from callwright.engines.sip.network_commands import NetworkCommands
from callwright.engines.sip.recordings import CLOSED_WITHIN
from callwright.engines.sip.routing import route_to
from callwright.engines.sip.transaction.digest_client import DigestClient
from callwright.engines.sip.transaction.request_sender import Identity
from callwright.engines.sip.transaction.transactions import Timing
from callwright.engines.sip.transport.own_address import own_address
from callwright.engines.sip.transport.transports import Transports
from callwright.engines.sip.trunks.trunk_uri import Unroutable, trunk_hop
from callwright.engines.sip.user_agent import UserAgent
from callwright.engines.sip.wire.hop import Transport
from callwright.engines.sip.wire.sdp import AudioProfile
from callwright.engines.sip.wire.trail import read_trail
from callwright.engines.trail import FRESH, Trail

if TYPE_CHECKING:
    from callwright.engines.sip.transport.resolver import Resolver

log = logging.getLogger(__name__)

FAREWELL = 2.0
"Seconds the last BYE and CANCEL have to be answered."


class SipEngine(NetworkCommands):
    """`callwright.engines.port.Engine` over SIP and a `MediaEngine`.

    After ``started`` the attribute ``address`` says where SIP is listened for over UDP and TCP, and
    ``tls_address`` the same of TLS.
    """

    address: tuple[str, int]
    tls_address: tuple[str, int] | None

    def __init__(
        self,
        settings: SipSettings,
        media: MediaEngine,
        *,
        next_leg: Callable[[], LegId],
        journal: Path | None = None,
        timing: Timing | None = None,
        random: Callable[[], float] = random.random,
        resolver: "Resolver | None" = None,
    ) -> None:
        """``next_leg`` gives the ids of legs that come in; ``random`` numbers from 0 to 1.

        ``journal``: the file that knows which calls are up, for a BYE to them should we be killed.
        """
        self._speech = AudioProfile(tuple(settings.codecs), ip_version=settings.host.version)
        key = secrets.token_bytes(16)
        super().__init__(
            media, Admission(settings.realm, key, settings.digests, speech=self._speech)
        )
        self._settings = settings
        self._timing = timing
        self._next_leg = next_leg
        self._random = random
        self._journal = (
            JournalFile(journal, instance_of(journal.parent, settings)) if journal else None
        )
        self._crash_cleanup = CrashCleanup()
        self._resolver = resolver
        self._heard_something = asyncio.Event()
        self._events: EventQueue
        self._driver: Driver
        self._agent: UserAgent
        self._media_hosts: MediaHosts
        self._local_host: str
        self._is_up = False
        "Whether there is anything to send by."

    @property
    def dropped(self) -> Counter[str]:
        """Messages and datagrams that came to nothing, by reason."""
        return self._agent.layer.dropped + self._driver.transports.dropped

    async def run(self, deliver: Deliver, *, started: Callable[[], None]) -> None:
        """See `callwright.engines.port.Engine.run`. Raises `OSError` if the port is taken."""
        self._loop = asyncio.get_running_loop()
        self._events = EventQueue(deliver)
        if self._journal is None:
            await self._serve(started)
            return
        self._crash_cleanup = CrashCleanup(await self._journal.read())
        async with self._journal.kept():
            await self._serve(started)

    async def _serve(self, started: Callable[[], None]) -> None:
        self._driver = Driver(
            self._settings,
            self._resolver,
            self._make_agent,
            after_input=self._after_input,
            peers=self._admission,
            on_record=self._journal.when_written if self._journal else lambda *_: False,
        )
        self._is_up = True
        self._media_hosts = MediaHosts(self._media.connect, self._driver.transports.targets)
        self._trunks.begin(
            lambda trunk: self._agent.sender(
                DigestClient(trunk.user, trunk.password), trunk_hop(trunk)
            ),
            self._random,
            self._loop.time,
        )
        self._driver.flush()
        hosts = asyncio.create_task(self._trunks.follow_hosts(self._driver.transports.targets))
        audio = asyncio.Event()
        media = asyncio.create_task(self._media.run(self._media_says, started=audio.set))
        ready = asyncio.create_task(audio.wait())
        try:
            # Not awaited itself: our cancellation must not end the media before the farewell.
            await asyncio.wait({media, ready}, return_when=asyncio.FIRST_COMPLETED)
            if ready.done():
                self._clean_up()
                started()
            await asyncio.wait({media})
        finally:
            with anyio.CancelScope(shield=True):
                hosts.cancel()
                await asyncio.wait({hosts})
                await self._say_farewell()
                self._driver.close()
                ready.cancel()
                media.cancel()
                await asyncio.wait({media, ready})
        media.result()

    def _make_agent(self, transports: Transports) -> UserAgent:
        host = str(self._settings.host)
        self.address = transports.address
        self.tls_address = transports.tls_address
        identity = Identity(
            host=str(self._settings.advertise or own_address(host)),
            port=self.address[1],
            user_agent=" ".join(self._settings.user_agent.split()),
            tls_port=self.tls_address[1] if self.tls_address else Transport.TLS.port,
        )
        self._local_host = identity.host
        self._agent = UserAgent(
            identity,
            self._heard,
            self._timing,
            session_expires=self._settings.session_expires,
            journal=self._journal,
            admission=self._admission,
            called=self._called,
            keep_alive=self._settings.keep_alive,
            strangers_per_second=self._settings.requests_per_source,
            speech=self._speech,
        )
        return self._agent

    def _clean_up(self) -> None:
        now = self._loop.time()
        self._crash_cleanup.hang_up(
            self._trunks.told,
            lambda call, digest: self._agent.hang_up_open_dialog(call, digest, now),
        )
        self._after_command()

    async def _say_farewell(self) -> None:
        now = self._loop.time()
        for call in list(self._legs.values()):
            call.hang_up(now, Cause.ENGINE_LOST, "shutdown")
        self._trunks.leave()
        self._after_input()
        with anyio.move_on_after(FAREWELL):
            while self._agent.layer.waiting() or self._recordings.held:
                self._heard_something.clear()
                await self._heard_something.wait()
        for leg in self._recordings.held:
            self._end_unrecorded(leg)
        self._events.now()

    # Commands.

    def _trunks_changed(self) -> None:
        if self._is_up:
            self._after_command()
        if self._crash_cleanup.waiting:
            self._clean_up()

    def ring(
        self,
        leg: LegId,
        to: Address,
        *,
        caller_id: str,
        caller_name: str = "",
        beside: Collection[LegId] = (),
        trail: Trail = FRESH,
    ) -> None:
        if leg in self._legs:
            raise ValueError(f"leg {leg} is up already")
        registered = self._admission.bindings.of(to.number, self._loop.time())
        try:
            way = route_to(
                to,
                self._trunks.named,
                registered,
                caller_id=caller_id,
                caller_name=caller_name,
                local_host=self._local_host,
            )
            media = self._media.open(leg, beside)
        except Unroutable as fault:
            self._tell_soon(LegReleased(leg, Cause.UNREACHABLE, str(fault)))
            return
        except NoPorts as fault:
            self._tell_soon(LegReleased(leg, Cause.NO_RESOURCES, str(fault)))
            return
        log.info("leg %d rings ..%s through %s", leg, to.number[-4:], to.trunk or "its phone")
        self._legs[leg] = self._agent.ring(
            leg,
            way.invited,
            way.digest,
            media,
            self._loop.time(),
            trunk=to.trunk,
            srtp=way.srtp,
            symmetric_rtp=way.symmetric_rtp,
            trail=trail,
        )
        self._legs[leg].phone = None if to.trunk else to.number
        self._after_command()

    # What comes in.

    def _media_says(self, event: MediaEvent) -> None:
        if isinstance(event, RecordingFinished):
            for told in self._recordings.finished(event):
                self._tell_soon(told)
            self._heard_something.set()
            return
        call = self._legs.get(event.leg)
        if call is None:
            return
        match event:
            case MediaLost():
                call.hang_up(self._loop.time(), Cause.MEDIA_LOST, "no RTP")
            case KeyForwarded(key=key):
                call.send_key(key, self._loop.time(), announced=False)
            case MediaWorkerLost():
                call.hang_up(self._loop.time(), Cause.ENGINE_LOST, "media worker lost")
            case _:
                self._events.add(event)
        self._after_command()

    def _end_unrecorded(self, leg: LegId) -> None:
        """Tell of a leg's end although not all of its recordings are closed."""
        for told in self._recordings.give_up(leg):
            self._tell_soon(told)
        self._heard_something.set()

    def _called(self, incoming: IncomingInvite, now: float) -> None:
        """Offer a call that has come in, as far as there is room for it."""
        leg, phone = self._next_leg(), None if incoming.trunk else incoming.caller
        # A phone may join its calls (an attended transfer).
        beside = [one for one, call in self._legs.items() if phone and call.phone == phone]
        beside += [incoming.replaces] if incoming.replaces else []
        try:
            media = self._media.open(leg, beside)
        except NoPorts as fault:
            log.warning("a call for ..%s is refused: %s", incoming.called[-4:], fault)
            self._agent.refuse(incoming, 503, "Service Unavailable")
            return
        call = self._agent.take(leg, incoming, media, now)
        if call is None:
            self._media.close(leg)
            return
        called, trunk = incoming.called, incoming.trunk
        log.info("leg %d comes in for ..%s from %s", leg, called[-4:], trunk or "a phone of ours")
        self._legs[leg] = call
        call.phone = phone
        trail = read_trail(incoming.request)
        place = incoming.replaces
        self._events.add(LegOffered(leg, incoming.caller, called, trunk, trail, place))

    def _heard(self, fact: Fact) -> None:
        """Take a fact from the user agent: tell the media first, then whoever listens."""
        match fact:
            case StreamAgreed(leg, stream):
                self._media_hosts.connect(leg, stream)
                return
            case Referred(leg, refer):
                self._transfer_asked(self._legs[leg], refer)
                return
            case DtmfReceived(leg, key):
                self._media.key_named(leg, key)  # which tells of it, unless it was heard as well
                return
            case LegConnected(leg):
                self._media.answered(leg)
                log.info("leg %d answered", leg)
                self._trunks.call_went_on(self._legs[leg].trunk_rung)
            case LegReleased(leg, cause, raw):
                self._media_hosts.forget(leg)
                quality = self._media.close(leg)
                call = self._legs.pop(leg)
                self._agent.forget(call, self._loop.time())
                self._trunks.call_ended(call.trunk_rung, raw)
                if quality.sent or quality.received:
                    fact = replace(fact, quality=quality)
                log.info("leg %d ended: %s, %s", leg, cause, quality)
                log.debug("leg %d ended: %s", leg, raw)
                if self._recordings.holds(fact):
                    self._loop.call_later(CLOSED_WITHIN, self._end_unrecorded, leg)
                    return
            case LegRinging(leg):
                self._trunks.call_went_on(self._legs[leg].trunk_rung)
            case EarlyMediaStarted() | LegHeld() | LegResumed() | DtmfSent() | DtmfFailed():
                pass
            case _:
                assert_never(fact)
        self._events.add(fact)

    def _transfer_asked(self, call: CallLeg, refer: Refer) -> None:
        other = None
        if refer.replaces is not None:
            other = self._agent.replaced(refer.replaces)
            if other in (None, call.leg):
                # A call that is not with us, which nobody could take over for the far end.
                call.report_transfer(481, "Call/Transaction Does Not Exist", self._loop.time())
                return
        self._events.add(TransferAsked(call.leg, refer.number, other))

    # What goes out.

    def _after_input(self) -> None:
        """Send and tell what an input has brought, in the same turn of the loop."""
        self._heard_something.set()
        self._driver.flush()
        self._media.keep_time()
        self._events.now()

    def _after_command(self) -> None:
        """Send at once; but tell in the next turn (contract 3)."""
        self._driver.flush()
        self._media.keep_time()
        self._events.soon()

    def _tell_soon(self, event: EngineEvent) -> None:
        self._events.add(event)
        self._events.soon()
