"""Marks on a call that ends in the same moment."""

from pathlib import Path
from typing import TYPE_CHECKING, cast

from callwright.calls.ending import RELEASED
from callwright.calls.session import Session
from callwright.directory.model import Account, AccountId, User, UserId
from callwright.methods.live import SUCCESS, LiveCalls, OfSession
from callwright.methods.method import Caller
from callwright.methods.tag_and_block import Marks
from tests.calls.stage import CONTACT, Props, Stage, play, stage

if TYPE_CHECKING:
    from callwright.directory.lookup import Directory

ACCOUNT = Account(AccountId(1), "House")
CALLER = Caller(User(UserId(1), ACCOUNT.id, "crm", None, (), frozenset()), ACCOUNT, "", "")


class SlowDirectory:
    """The call is over by the time the number stands on the blacklist."""

    def __init__(self, scene: Stage, session: Session) -> None:
        self.added: list[str] = []
        self._scene = scene
        self._session = session

    async def add_to_blacklist(self, account: AccountId, number: str, comment: str) -> bool:
        self._session.end(RELEASED)
        await self._scene.verdict(self._session.id)
        self.added.append(number)
        return True


def test_nothing_is_told_of_a_call_after_its_verdict(tmp_path: Path) -> None:
    """Each session ends with one verdict, which is its last event (choreography 7)."""

    async def story() -> None:
        async with stage({}) as scene:
            session = scene.manager.find(1, await scene.manager.start(Props(tmp_path).plan()))
            assert session
            directory = SlowDirectory(scene, session)
            marks = Marks(LiveCalls(scene.manager), cast("Directory", directory))
            asked = OfSession.model_validate({"call_session_id": session.id})
            assert await marks.block(CALLER, asked) == SUCCESS
            assert directory.added == [CONTACT]
            assert scene.names(session.id)[-1] == "SessionFinished"

    play(story)
