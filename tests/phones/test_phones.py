"""The phones of the demo and the tests: they ring, talk, hear and hang up, with one another."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from demo.phones import Baresip, Behaviour, Phone, PhoneFault, Softphone, baresip, make_phone
from tests.phones.tones import read, timeline, without_seams
from tests.waiting import WITHIN

pytestmark = pytest.mark.anyio

Make = Callable[[Path, Behaviour], Phone]
Start = Callable[..., AbstractAsyncContextManager[Phone]]

BARESIP = pytest.param(Baresip, marks=pytest.mark.peer("baresip"), id="baresip")
SOFTPHONE = pytest.param(Softphone, id="softphone")
both = pytest.mark.parametrize("make", [SOFTPHONE, BARESIP])


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """Start a phone in a folder of its own; it is stopped at the end of the block."""
    names = iter(["one", "other", "third"])

    @asynccontextmanager
    async def started(make: Make, behaviour: Behaviour) -> AsyncIterator[Phone]:
        phone = make(tmp_path / next(names), behaviour)
        await phone.start()
        try:
            yield phone
        finally:
            await phone.stop()

    return started


def sounds(phone: Phone) -> list[str]:
    assert phone.heard is not None
    heard = timeline(read(phone.heard.path), [440, 1000])
    return [stretch.sound for stretch in without_seams(heard)]


@pytest.mark.realtime
@pytest.mark.parametrize(
    ("caller", "callee"),
    [
        pytest.param(Softphone, Softphone, id="softphone-softphone"),
        pytest.param(Softphone, Baresip, id="softphone-baresip", marks=pytest.mark.peer("baresip")),
        pytest.param(Baresip, Softphone, id="baresip-softphone", marks=pytest.mark.peer("baresip")),
    ],
)
@pytest.mark.parametrize("codec", ["PCMA", "PCMU"])
async def test_two_phones_hear_each_other(
    start: Start, caller: Make, callee: Make, codec: str
) -> None:
    async with (
        start(callee, Behaviour(answers_after=0.3, says=440, codec=codec)) as called,
        start(caller, Behaviour(says=1000, hangs_up_after=2.0)) as calling,
    ):
        await calling.call(called.uri)
        for phone in (calling, called):
            await phone.events.wait("ended", within=WITHIN)
            assert phone.heard is not None
            answered = phone.events.all("answered")[0].at
            assert phone.heard.at == pytest.approx(answered, abs=0.25)
        assert [fact.name for fact in called.events.facts[1:4]] == ["invite", "ringing", "answered"]
        # Between answer and audio there may be a moment of silence, in which the ACK travels.
        assert [sound for sound in sounds(calling) if sound != "silence"] == ["440 Hz"]
        assert [sound for sound in sounds(called) if sound != "silence"] == ["1000 Hz"]
        for phone in (calling, called):
            assert phone.heard is not None
            assert len(read(phone.heard.path)) / 8000 == pytest.approx(2.0, abs=0.3)


@pytest.mark.realtime
@pytest.mark.parametrize(
    ("caller", "callee"),
    [
        pytest.param(Softphone, Softphone, id="softphone-softphone"),
        pytest.param(Softphone, Baresip, id="softphone-baresip", marks=pytest.mark.peer("baresip")),
        pytest.param(Baresip, Softphone, id="baresip-softphone", marks=pytest.mark.peer("baresip")),
    ],
)
async def test_keys_are_heard_at_their_times_both_ways(
    start: Start, caller: Make, callee: Make
) -> None:
    async with (
        start(callee, Behaviour(keys=[(0.6, "9")])) as called,
        start(caller, Behaviour(keys=[(0.5, "1"), (1.5, "#")], hangs_up_after=2.5)) as calling,
    ):
        await calling.call(called.uri)
        for phone in (calling, called):
            await phone.events.wait("ended", within=WITHIN)
        assert [key.key for key in called.keys] == ["1", "#"]
        assert [key.key for key in calling.keys] == ["9"]
        for sender, hearer in ((calling, called), (called, calling)):
            sent = [fact.at for fact in sender.events.all("key_sent")]
            assert [key.at for key in hearer.keys] == pytest.approx(sent, abs=0.2)


@both
async def test_a_key_on_demand_and_a_hang_up(start: Start, make: Make) -> None:
    async with (
        start(make, Behaviour()) as called,
        start(Softphone, Behaviour()) as calling,
    ):
        await calling.call(called.uri)
        await called.events.wait("answered", within=WITHIN)
        await calling.events.wait("first_rtp", within=WITHIN)
        await called.press("5")
        await calling.events.wait("key", within=WITHIN)
        await called.hang_up()
        await calling.events.wait("bye", within=WITHIN)
        await called.events.wait("ended", within=WITHIN)
        assert [key.key for key in calling.keys] == ["5"]


@both
async def test_a_busy_phone_rejects(start: Start, make: Make) -> None:
    async with (
        start(make, Behaviour(busy=True, answers_after=0.2)) as called,
        start(Softphone, Behaviour()) as calling,
    ):
        await calling.call(called.uri)
        rejected = await calling.events.wait("rejected", within=WITHIN)
        assert rejected.details["status"] == 486
        await called.events.wait("ended", within=WITHIN)
        assert called.heard is None


@both
async def test_a_caller_that_gives_up_cancels(start: Start, make: Make) -> None:
    async with (
        start(make, Behaviour(answers_after=None)) as called,
        start(Softphone, Behaviour()) as calling,
    ):
        await calling.call(called.uri)
        await calling.events.wait("ringing", within=WITHIN)
        await calling.hang_up()
        await calling.events.wait("cancelled", within=WITHIN)
        await called.events.wait("cancelled", within=WITHIN)
        await called.events.wait("ended", within=WITHIN)
        assert called.heard is None


@both
async def test_a_phone_takes_one_call_after_another(start: Start, make: Make) -> None:
    async with (
        start(make, Behaviour(says=440)) as called,
        start(Softphone, Behaviour(hangs_up_after=0.5)) as calling,
    ):
        paths = set()
        for number in (1, 2):
            await calling.call(called.uri)
            await calling.events.wait("ended", within=WITHIN, number=number)
            await called.events.wait("ended", within=WITHIN, number=number)
            assert called.heard is not None
            paths.add(called.heard.path)
        assert len(paths) == 2
        assert len(calling.events.all("answered")) == 2


async def test_a_call_right_behind_another_does_not_disturb_it(start: Start) -> None:
    """Not for Debian's baresip: it names recordings by the second, and here both begin in one."""
    async with (
        start(Softphone, Behaviour(says=440)) as called,
        start(Softphone, Behaviour()) as calling,
    ):
        await calling.call(called.uri)
        await calling.events.wait("first_rtp", within=WITHIN)
        await calling.hang_up()
        await calling.call(called.uri)
        for phone in (calling, called):
            await phone.events.wait("ended", within=WITHIN)
            await phone.events.wait("answered", within=WITHIN, number=2)
            assert phone.heard is not None
            assert phone.heard.at < phone.events.all("answered")[1].at


async def test_a_phone_in_a_call_is_busy_for_a_third(start: Start) -> None:
    async with (
        start(Softphone, Behaviour()) as called,
        start(Softphone, Behaviour()) as calling,
        start(Softphone, Behaviour()) as third,
    ):
        await calling.call(called.uri)
        await calling.events.wait("answered", within=WITHIN)
        await third.call(called.uri)
        rejected = await third.events.wait("rejected", within=WITHIN)
        assert rejected.details["status"] == 486
        assert not calling.events.all("bye")


@pytest.mark.realtime
async def test_early_media_is_heard_before_the_answer(start: Start) -> None:
    async with (
        start(Softphone, Behaviour(answers_after=1.0, early_tone=425, says=440)) as called,
        start(Softphone, Behaviour(hangs_up_after=1.0)) as calling,
    ):
        await calling.call(called.uri)
        early = await calling.events.wait("early", within=WITHIN)
        first = await calling.events.wait("first_rtp", within=WITHIN)
        answered = await calling.events.wait("answered", within=WITHIN)
        assert early.at < first.at < answered.at - 0.5
        await calling.events.wait("ended", within=WITHIN)
        # The recording begins with the answer.
        assert sounds(calling)[-1] == "440 Hz"


async def test_a_stopped_phone_hangs_up(start: Start) -> None:
    async with (
        start(Softphone, Behaviour()) as called,
        start(Softphone, Behaviour()) as calling,
    ):
        await calling.call(called.uri)
        await calling.events.wait("answered", within=WITHIN)
        await calling.stop()
        await called.events.wait("bye", within=WITHIN)
        assert calling.heard is not None


async def test_waiting_in_vain_says_what_happened_instead(start: Start) -> None:
    async with start(Softphone, Behaviour()) as phone:
        with pytest.raises(TimeoutError, match=r"no invite within 0\.1 s; there was: listening"):
            await phone.events.wait("invite", within=0.1)
        await phone.stop()
        with pytest.raises(PhoneFault, match="has ended"):
            await phone.events.wait("invite", within=WITHIN)


async def test_a_phone_that_cannot_start_says_so(start: Start, tmp_path: Path) -> None:
    with pytest.raises(PhoneFault):
        async with start(Softphone, Behaviour(says=tmp_path / "none.wav")):
            pass


def test_the_better_phone_is_chosen(tmp_path: Path) -> None:
    plain = make_phone(tmp_path, Behaviour())
    assert isinstance(plain, Baresip if baresip.installed() else Softphone)
    # baresip has no early media of its own.
    assert isinstance(make_phone(tmp_path, Behaviour(early_tone=425)), Softphone)
    with pytest.raises(PhoneFault, match="cannot do this"):
        Baresip(tmp_path, Behaviour(early_tone=425))
