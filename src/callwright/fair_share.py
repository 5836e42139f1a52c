"""Fair share of scarce places (max-min fairness): who gives way when there are no more."""

from collections.abc import Callable
from typing import Generic, TypeVar

from callwright.sources import source_of

T = TypeVar("T")


class FairShare(Generic[T]):
    """Holders of places, by the source each comes from.

    Whoever holds many loses one first, so that no crowd of one source keeps the others out, and
    nobody is refused for it while there is room.
    """

    def __init__(self) -> None:
        self._held: dict[str, dict[T, None]] = {}
        "The holders of each source, the one there for longest first."
        self._sources: dict[T, str] = {}

    def put(self, holder: T, host: str) -> None:
        """Give a place to a holder at the address ``host``; one who is there begins anew."""
        self.take_out(holder)
        source = self._sources[holder] = source_of(host)
        self._held.setdefault(source, {})[holder] = None

    def take_out(self, holder: T) -> None:
        """Let a holder go, if it is there."""
        source = self._sources.pop(holder, None)
        if source is not None:
            del self._held[source][holder]
            if not self._held[source]:
                del self._held[source]

    def of(self, host: str) -> int:
        """How many places the source of an address holds."""
        return len(self._held.get(source_of(host), ()))

    def all_of(self, host: str) -> list[T]:
        """Those of the source of an address, the one there for longest first."""
        return list(self._held.get(source_of(host), ()))

    def first_out(self, rather: Callable[[T], bool] = lambda holder: True) -> T | None:
        """Who is to give way: of the source that holds most, the one there for longest.

        ``rather``: those of the source who are to go before its others. None: nobody is there.
        """
        crowd = max(self._held.values(), key=len, default=None)
        if not crowd:
            return None
        return next((holder for holder in crowd if rather(holder)), next(iter(crowd)))

    def first_that(self, fits: Callable[[T], bool]) -> T | None:
        """Of those who fit, one of the source that holds most; None: nobody does."""
        for crowd in sorted(self._held.values(), key=len, reverse=True):
            found = next((holder for holder in crowd if fits(holder)), None)
            if found is not None:
                return found
        return None

    def __contains__(self, holder: T) -> bool:
        return holder in self._sources

    def __len__(self) -> int:
        return len(self._sources)
