"""Every refusal a phone can give, and an answer that crosses our CANCEL: what becomes of the call.

Calls over the SIP engine, on sockets, with a far end written by hand; only the media is none.
"""

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import sipmessage

from callwright.calls.ending import RELEASED
from callwright.calls.events import LegEnded, LegStarted, SessionEvent, SessionFinished
from callwright.calls.manager import CallManager
from callwright.calls.plan import AdmittedAddress, EmployeeCall, Role, SessionId, Target
from callwright.calls.recording import RecordingFiles
from callwright.config import SipSettings
from callwright.engines.port import Address
from callwright.engines.sip.engine import SipEngine
from callwright.engines.sip.transaction.transactions import Timing
from tests import autojump
from tests.calls.stage import ANNA, MemoryJournal, Props
from tests.engines.sip.media import RememberingMedia, ids
from tests.engines.sip.world import SDP, reply
from tests.waiting import WITHIN

pytestmark = pytest.mark.anyio

# Those with a name: RFC 3261 21.4 to 21.6, and the IANA registry of SIP response codes.
BUSY = {486, 600}
SILENT = {408, 480, 487}
WRONG = {404, 410, 484, 485, 604}
DECLINED = {403, 433, 603, 607, 608}
# 606: the audio that was offered is not acceptable, which is nobody's being busy.
NAMED_6XX = {600, 603, 604, 606, 607, 608}


def verdict_of(status: int, who: str) -> tuple[str, str]:
    """What the session is to say, and whose fault it is, when ``who`` refuses like that."""
    person = "contact" if who == "subscriber" else "employee"
    # RFC 3261 8.1.3.2: what is not known is what the x00 of its class is; 600 is busy everywhere.
    if status >= 600 and status not in NAMED_6XX:
        status = 600
    if status in BUSY:
        return f"{who}_busy", person
    if status in SILENT:
        return f"{who}_not_responsible", person
    if status in WRONG:
        return f"{who}_number_problems", person
    if status in DECLINED:
        return f"no_success_{who}_call", person
    return f"no_success_{who}_call", "network"


def word_of(verdict: SessionFinished) -> str:
    """What the leg is to say, for which the published API has fewer words (choreography 7)."""
    if verdict.finish_reason != "no_success_operator_call":
        return verdict.finish_reason
    return "operator_busy" if verdict.fault == "employee" else "operator_not_responsible"


@pytest.fixture
def anyio_backend() -> autojump.Backend:
    return autojump.BACKEND


class FarEnds(asyncio.DatagramProtocol):
    """All phones there are. What one does stands in its number:

    ``answers``, ``refuses-486``, ``crosses``: it rings, and answers when the CANCEL comes.
    """

    def __init__(self) -> None:
        self.seen: Counter[tuple[str, str]] = Counter()
        "How often each number was sent each method."
        self._number: dict[str, str] = {}
        self._invites: dict[str, sipmessage.Request] = {}
        self._more = asyncio.Event()

    def use(self, transport: asyncio.DatagramTransport) -> None:
        self._transport = transport
        self.port: int = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        message = sipmessage.Message.parse(data)
        if not isinstance(message, sipmessage.Request):
            return
        call = message.headers["Call-ID"]
        if message.method == "INVITE":
            self._number[call] = message.uri.user or ""
            self._invites[call] = message
        number = self._number[call]
        self.seen[number, message.method] += 1
        self._more.set()
        for response in self._responses(message, number):
            self._transport.sendto(response, addr)

    def _responses(self, request: sipmessage.Request, number: str) -> list[bytes]:
        contact = f"<sip:{number}@127.0.0.1:{self.port}>"
        what, _, status = number.partition("-")
        ringing = reply(request, 180, "Ringing", contact=contact)
        match request.method, what.rstrip("0123456789"):
            case "ACK", _:
                return []
            case "INVITE", "answers":
                return [reply(request, 200, "OK", contact=contact, sdp=SDP)]
            case "INVITE", "refuses":
                return [ringing, reply(request, int(status), f"Number {status}", contact=None)]
            case "INVITE", _:
                return [ringing]
            case "CANCEL", "crosses":
                invite = self._invites[request.headers["Call-ID"]]
                answer = reply(invite, 200, "OK", contact=contact, sdp=SDP)
                return [answer, reply(request, 200, "OK", contact=None)]
            case _:
                return [reply(request, 200, "OK", contact=None)]

    async def saw(self, number: str, method: str) -> None:
        async with asyncio.timeout(WITHIN):
            while not self.seen[number, method]:
                self._more.clear()
                await self._more.wait()


class Exchange:
    """Calls over the SIP engine, and the phones."""

    def __init__(self, props: Props, phones: FarEnds) -> None:
        self.props = props
        self.phones = phones
        self.engine = SipEngine(
            SipSettings(port=0), RememberingMedia(), next_leg=ids(), timing=Timing(t1=0.05)
        )
        self.journal = MemoryJournal()
        self.manager = CallManager(
            self.engine,
            self.journal,
            next_id=itertools.count(1 << 32).__next__,
            parallel_at_most=100,
            recordings=RecordingFiles(Path("recordings")),
        )
        self.manager.listeners.append(self._told)
        self._more = asyncio.Event()

    def _told(self, event: SessionEvent) -> None:
        self._more.set()

    def target(self, number: str, within: float = 10.0) -> Target:
        uri = f"sip:{number}@127.0.0.1:{self.phones.port}"
        return Target(AdmittedAddress(Address(number, phone=uri)), "74993720692", within)

    def plan(self, employee: Sequence[str], contact: str, *, within: float = 10.0) -> EmployeeCall:
        plan = self.props.plan(first=Role.EMPLOYEE, employee_numbers=employee)
        [group] = plan.employee
        phones = [replace(self.target(number, within), employee=ANNA) for number in employee]
        return replace(
            plan,
            contact=self.target(contact, within),
            employee=[replace(group, targets=phones)],
        )

    async def told(self, session: SessionId, kind: type[SessionEvent]) -> None:
        async with asyncio.timeout(WITHIN):
            while not any(isinstance(one, kind) for one in self.journal.stories[session]):
                self._more.clear()
                await self._more.wait()

    async def ends(self, session: SessionId) -> tuple[SessionFinished, dict[str, LegEnded]]:
        """Wait for the verdict; return it, and how each number's leg has ended."""
        await self.told(session, SessionFinished)
        story = self.journal.stories[session]
        [verdict] = [event for event in story if isinstance(event, SessionFinished)]
        assert story[-1] is verdict, "there is one, and nothing after it"
        numbers = {one.leg: one.called_number for one in story if isinstance(one, LegStarted)}
        ended = [event for event in story if isinstance(event, LegEnded)]
        assert len(ended) == len(numbers), "every leg has ended, once"
        return verdict, {numbers[event.leg]: event for event in ended}

    async def whole(self, plan: EmployeeCall) -> tuple[SessionFinished, dict[str, LegEnded]]:
        return await self.ends(await self.manager.start(plan))


@asynccontextmanager
async def exchange(folder: Path) -> AsyncIterator[Exchange]:
    loop = asyncio.get_running_loop()
    transport, phones = await loop.create_datagram_endpoint(FarEnds, ("127.0.0.1", 0))
    phones.use(transport)
    made = Exchange(Props(folder), phones)
    ready = asyncio.Barrier(3)

    def started() -> None:
        tasks.append(loop.create_task(ready.wait()))

    tasks: list[asyncio.Task[object]] = [
        loop.create_task(made.engine.run(made.manager.deliver, started=started)),
        loop.create_task(made.manager.run(started=started)),
    ]
    try:
        async with asyncio.timeout(WITHIN):
            await ready.wait()
        yield made
    finally:
        for task in reversed(tasks):
            task.cancel()
            await asyncio.wait({task})
        transport.close()


AT_ONCE = 10
"Calls; the far end takes no pains to repeat what its socket has no room for."
BLOCKS = [range(begin, begin + 50) for begin in range(400, 700, 50)]
BLOCK_NAMES = [f"{block[0]}-{block[-1]}" for block in BLOCKS]


async def each(folder: Path, block: range, one: Callable[[Exchange, int], Awaitable[None]]) -> None:
    async with exchange(folder) as at:
        for begin in range(0, len(block), AT_ONCE):
            await asyncio.gather(*(one(at, status) for status in block[begin : begin + AT_ONCE]))


@pytest.mark.parametrize("block", BLOCKS, ids=BLOCK_NAMES)
async def test_the_employees_phone_refuses(tmp_path: Path, block: range) -> None:
    """The contact is never rung (choreography 7), whatever the phone says."""

    async def one(at: Exchange, status: int) -> None:
        phone = f"refuses-{status}"
        verdict, legs = await at.whole(at.plan([phone], f"answers{status}"))
        said = verdict.finish_reason, verdict.fault
        assert said == verdict_of(status, "operator"), status
        [leg] = legs.values()
        assert leg.raw == f"{status} Number {status}"
        assert leg.finish_reason == word_of(verdict)
        await at.phones.saw(phone, "ACK")
        assert not at.phones.seen[f"answers{status}", "INVITE"]
        assert not at.phones.seen[phone, "BYE"]

    await each(tmp_path, block, one)


@pytest.mark.parametrize("block", BLOCKS, ids=BLOCK_NAMES)
async def test_the_contacts_phone_refuses(tmp_path: Path, block: range) -> None:
    """The employee is hung up (choreography 7)."""

    async def one(at: Exchange, status: int) -> None:
        employee, contact = f"answers{status}", f"refuses-{status}"
        verdict, legs = await at.whole(at.plan([employee], contact))
        said = verdict.finish_reason, verdict.fault
        assert said == verdict_of(status, "subscriber"), status
        assert legs[contact].raw == f"{status} Number {status}"
        assert legs[employee].cause == "released"
        await at.phones.saw(contact, "ACK")
        await at.phones.saw(employee, "BYE")

    await each(tmp_path, block, one)


async def test_after_each_refusal_the_employees_next_phone_is_rung(tmp_path: Path) -> None:
    async with exchange(tmp_path) as at:
        numbers = [f"refuses-{status}" for status in (400, 486, 503, 600, 603, 699)]
        verdict, legs = await at.whole(at.plan([*numbers, "answers"], "refuses-404"))
        assert verdict.finish_reason == "subscriber_number_problems"
        assert list(legs)[: len(numbers)] == numbers
        assert at.phones.seen["answers", "INVITE"] == 1


# An answer in the very moment of our CANCEL.


async def test_the_contact_answers_when_its_time_is_over(tmp_path: Path) -> None:
    async with exchange(tmp_path) as at:
        verdict, legs = await at.whole(at.plan(["answers"], "crosses", within=0.3))
        assert (verdict.finish_reason, verdict.ended_by) == (
            "subscriber_not_responsible",
            "contact",
        )
        assert legs["crosses"].cause == "no_answer"
        for method in ("ACK", "BYE"):
            await at.phones.saw("crosses", method)
        assert at.phones.seen["crosses", "CANCEL"] == 1
        await at.phones.saw("answers", "BYE")


async def test_the_contact_answers_when_the_client_releases_the_call(tmp_path: Path) -> None:
    async with exchange(tmp_path) as at:
        session = await at.manager.start(at.plan(["answers"], "crosses"))
        await at.phones.saw("crosses", "INVITE")
        live = at.manager.find(1, session)
        assert live
        live.end(RELEASED)
        verdict, _ = await at.ends(session)
        assert verdict.finish_reason == "api_release"
        for number, method in (("crosses", "ACK"), ("crosses", "BYE"), ("answers", "BYE")):
            await at.phones.saw(number, method)


async def test_the_employees_first_phone_answers_when_the_second_is_rung(tmp_path: Path) -> None:
    """It is hung up, and the call goes on without it."""
    async with exchange(tmp_path) as at:
        plan = at.plan(["crosses", "answers"], "refuses-486", within=0.3)
        verdict, legs = await at.whole(plan)
        assert verdict.finish_reason == "subscriber_busy"
        assert legs["crosses"].finish_reason == "operator_not_responsible"
        assert legs["answers"].finish_reason == "subscriber_busy"
        for method in ("ACK", "BYE"):
            await at.phones.saw("crosses", method)
