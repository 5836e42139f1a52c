"""Moments as clients of lists write them, in the time zone of their account or with their own."""

import re
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

# Digits of ours only; strptime would take those of other scripts, and one for two.
_MOMENT = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
    r"(?:[ T]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:[.,][0-9]{1,9})?)?"
    r"(?: ?(Z|[+-][0-9]{2}(?::?[0-9]{2})?))?)?"
)
_DAY = timedelta(days=1)


def moment_of(text: str, zone: ZoneInfo, *, last: bool = False) -> datetime:
    """Read a moment; what is finer than a second is left off. Raises ValueError if it is none.

    ``YYYY-MM-DD hh:mm[:ss[.fff]]``, with ``T`` for the space if wanted, and a zone (``Z``,
    ``+03:00``) if it is not ``zone``, the account's. A date alone is its first second, or, with
    ``last``, its last.
    """
    if not (found := _MOMENT.fullmatch(text)):
        raise ValueError(f"{text} is not YYYY-MM-DD hh:mm:ss")
    *parts, own_zone = found.groups()
    is_date = parts[3] is None
    year, month, day, hour, minute, second = (int(part or 0) for part in parts)
    local = datetime(year, month, day, hour, minute, second)
    # A day from either end of the calendar is out of it in some other zone.
    if not datetime(1, 1, 3) < local < datetime(9999, 12, 29):
        raise ValueError(f"{text} is not of our time")
    if is_date and last:
        local += _DAY - timedelta(seconds=1)
    return local.replace(tzinfo=_zone(own_zone) if own_zone else zone).astimezone(UTC)


def _zone(text: str) -> timezone:
    """Read ``Z``, ``+03``, ``+0300`` or ``+03:00``. Raises ValueError for more than a day."""
    if text == "Z":
        return UTC
    hours, minutes = int(text[1:3]), int(text[-2:] if len(text) > 3 else 0)
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if text[0] == "-" else offset)
