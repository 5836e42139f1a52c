"""Request log entries: what is kept of each request, without its parameters."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from callwright.directory.model import AccountId, UserId


@dataclass(frozen=True, slots=True)
class AnsweredRequest:
    """A request whose sender is known, and what became of it."""

    account: AccountId
    user: UserId
    login: str
    "The user's."
    time: datetime
    "When it was answered; UTC, aware."
    api: str
    "Where it was sent to: ``v4.0``."
    method: str
    ip: str
    "The client's address."
    mnemonic: str | None
    "The error it was answered with; None: it succeeded."
    duration: float
    "Seconds it took to answer."
    session: int | None = None
    "The session it has begun."


RequestListener = Callable[[AnsweredRequest], None]
"Called once a request has been answered; must neither wait nor raise."
