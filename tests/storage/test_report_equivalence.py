"""The same random filters and orders give the rows that plain Python chooses of all there are.

What is shown of a call comes from its legs; what it is found by stands in columns that were written
when it was over. So the two are told apart if they differ.
"""

import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import anyio
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, update
from sqlalchemy.ext.asyncio import AsyncEngine

from callwright.calls.events import (
    LegAnswered,
    LegEnded,
    LegStarted,
    SessionEvent,
    SessionFinished,
    TalkStarted,
)
from callwright.calls.plan import EmployeeRef, Role, SessionId
from callwright.directory.prices import Price, PriceList
from callwright.engines.port import LegId
from callwright.methods.data import list_memory
from callwright.methods.data.calls_report import GET_CALLS_REPORT
from callwright.methods.data.contacts import GET_CONTACTS
from callwright.methods.data.financial_report import GET_FINANCIAL_CALL_LEGS_REPORT
from callwright.methods.data.list_fields import ListedField
from callwright.methods.data.list_method import ListDeclaration
from callwright.methods.data.list_request import ListRequest, query_of
from callwright.query import Every, FieldKind, Filter, Query, Row, Window
from callwright.storage.database import close_database, open_database
from callwright.storage.history.journal import StoredJournal
from callwright.storage.lists.rows import StoredRows, Totals
from callwright.storage.lists.source import StoredList
from callwright.storage.tables import (
    call_sessions,
    contact_groups,
    contact_memberships,
    contact_numbers,
    contacts,
)
from callwright.wiring.data_api import SOURCES
from tests.databases import StoredIn
from tests.storage.conftest import fill
from tests.storage.stories import BEGAN, CAPTION, at, started

ZONE = ZoneInfo("UTC")
NAMES = {5: "Anna", 6: "Боря", 7: "anna", 25: None}
PRICES = PriceList([("out", "7926", Price(1.7, 60)), ("in", "7", Price(0.3, 7))])
SESSIONS, CONTACTS = 80, 40
WINDOW = Window("start_time", BEGAN, BEGAN + timedelta(days=90))


def story(session: int, chance: random.Random) -> list[SessionEvent]:
    """Legs that ring, answer and talk as it happens; some sessions are not over."""
    told: list[Callable[[int], SessionEvent]] = []
    legs = [LegId(session * 10 + number) for number in range(chance.randrange(5))]
    answered: list[LegId] = []
    of = SessionId(session)
    for leg in legs:
        employee = chance.choice([None, *NAMES])
        told.append(
            partial(
                lambda leg, role, number, employee, offered, sequence: LegStarted(
                    session=of,
                    sequence=sequence,
                    time=at(0),
                    offset=0.0,
                    leg=leg,
                    role=role,
                    calling_number="74993720692",
                    called_number=number,
                    employee_id=employee,
                    employee_full_name=NAMES.get(employee),
                    offered=offered,
                ),
                leg,
                chance.choice([Role.CONTACT, Role.EMPLOYEE, Role.COACH]),
                chance.choice(["79260000001", "79260000002", "101", "74990000000"]),
                employee,
                chance.random() < 0.3,
            )
        )
        if chance.random() < 0.7:
            moment = at(chance.randrange(3))  # several at once
            answered.append(leg)
            told.append(
                partial(
                    lambda leg, moment, sequence: LegAnswered(
                        session=of, sequence=sequence, time=moment, offset=1.0, leg=leg
                    ),
                    leg,
                    moment,
                )
            )
    for _ in range(chance.randrange(4) if len(answered) > 1 else 0):
        pair = chance.sample(answered, 2)
        told.append(
            partial(
                lambda pair, moment, sequence: TalkStarted(
                    session=of, sequence=sequence, time=moment, offset=4.0, legs=pair
                ),
                (pair[0], pair[1]),
                at(4 + chance.randrange(3)),
            )
        )
    for leg in legs:
        talked = chance.choice([0.0, 0.4, 0.5, 1.5, 59.6, 60.0, 61.2, 200.0])
        told.append(
            partial(
                lambda leg, talked, sequence: LegEnded(
                    session=of,
                    sequence=sequence,
                    time=at(300),
                    offset=300.0,
                    leg=leg,
                    finish_reason="hung_up",
                    cause="hung_up",
                    raw="",
                    talk_duration=talked,
                    total_duration=300.0,
                ),
                leg,
                talked,
            )
        )
    if chance.random() < 0.8:
        told.append(
            lambda sequence: SessionFinished(
                session=of,
                sequence=sequence,
                time=at(300),
                offset=300.0,
                finish_reason=chance.choice(["no_operation", "timeout"]),
                ended_by="contact",
                fault="nobody",
                detail="",
                wait_duration=1.0,
                talk_duration=float(chance.randrange(4)),
                total_duration=300.0,
            )
        )
    return [tell(sequence) for sequence, tell in enumerate(told, start=2)]


async def furnish(database: AsyncEngine) -> None:
    chance = random.Random(7)
    for session in range(1, SESSIONS + 1):
        # What is told at once and what is not are written alike.
        events = story(session, chance)
        cut = chance.randrange(len(events) + 1)
        journal = StoredJournal(database, prices=PRICES)
        caption = replace(CAPTION, employee=EmployeeRef(5, "Anna") if session % 2 else None)
        begun = started(session, caption)
        await journal.begin(replace(begun, time=begun.time + timedelta(hours=session)))
        for some in (events[:cut], events[cut:]):
            for event in some:
                journal.hear(event)
            with anyio.CancelScope() as scope:
                scope.cancel()
                await journal.run()
    async with database.begin() as connection:
        sold = call_sessions.c.id % 5 == 0
        price = {"sale_id": 1, "sale_cost": call_sessions.c.id % 3 + 0.5, "sale_date": at(5)}
        await connection.execute(update(call_sessions).where(sold).values(price))
        for group in (1, 2):
            values = {"id": group, "account_id": 1, "name": f"Group {group}"}
            await connection.execute(insert(contact_groups), values)
        for id in range(1, CONTACTS + 1):
            name = chance.choice(["Anna", "Боря"])
            emails = chance.sample(["a@example.org", "b@example.org", "7"], chance.randrange(3))
            contact = {"id": id, "account_id": 1, "last_name": name, "full_name": name}
            await connection.execute(insert(contacts), contact | {"emails": emails})
            for position in range(chance.randrange(3)):
                number = chance.choice(["79260000001", "79260000002", "7"])
                owned = {"contact_id": id, "position": position, "account_id": 1}
                await connection.execute(insert(contact_numbers), owned | {"number": number})
            for group in chance.sample([1, 2], chance.randrange(3)):
                values = {"contact_id": id, "group_id": group}
                await connection.execute(insert(contact_memberships), values)


@dataclass(frozen=True)
class Report:
    """A list, all of whose rows are known."""

    declared: ListDeclaration[Any]
    rows: StoredRows
    portal: BlockingPortal
    window: Window | None

    def read(self, query: Query) -> list[Row]:
        async def read() -> list[Row]:
            return [row async for some in self.rows.read(1, query) for row in some]

        return self.portal.call(read)

    def count(self, query: Query) -> int:
        return self.portal.call(self.rows.count, 1, query)

    def asked(self, tree: dict[str, Any] | None, sort: Sequence[dict[str, str]] = ()) -> Query:
        sent: dict[str, Any] = {"sort": [*sort], "limit": 1000}
        request = ListRequest.model_validate_json(json.dumps(sent | {"filter": tree}))
        query = query_of(request, self.declared.listing, ZONE)
        known = [name for name, field in self.declared.listing.fields.items() if field.known]
        return replace(query, window=self.window, fields=known)

    def shown(self, row: Row) -> dict[str, object]:
        """A row as clients see it: what is compared in memory, is compared so."""
        return self.declared.listing.shower(["groups"], ZONE)(row) if "groups" in row else {}


@pytest.fixture(scope="module")
def portal() -> Iterator[BlockingPortal]:
    with start_blocking_portal("asyncio") as portal:
        yield portal


@pytest.fixture(scope="module")
def database(
    stored_in: StoredIn, tmp_path_factory: pytest.TempPathFactory, portal: BlockingPortal
) -> Iterator[AsyncEngine]:
    migrated = tmp_path_factory.getbasetemp() / "migrated"
    with stored_in.copy(migrated, fill, tmp_path_factory.mktemp("equivalence")) as url:
        database = open_database(url)
        portal.call(furnish, database)
        yield database
        portal.call(close_database, database)


def report(declared: ListDeclaration[Any], portal: BlockingPortal, database: AsyncEngine) -> Report:
    assert declared.table
    listed = StoredList.of(SOURCES[declared.table], declared.listing.fields.values())
    rows = StoredRows(database, listed, anyio.CapacityLimiter(2), Totals(lambda: at(0)))
    return Report(declared, rows, portal, WINDOW if declared.table != "contacts" else None)


EMPLOYEES = tuple(
    f"{which}_{what}_employee_{fact}"
    for what in ("answered", "talked")
    for which in ("first", "last")
    for fact in ("id", "full_name")
)
CALLS: tuple[str, ...] = (
    *EMPLOYEES,
    "operator_phone_number",
    "sale_cost",
    "sale_date",
    "finish_reason",
)
CALLS += ("employee_full_name", "call_api_external_id", "talk_duration", "finish_time", "is_lost")
LEGS: tuple[str, ...] = (
    "total_charge",
    "chargeable_duration",
    "cost_per_minute",
    "direction_type",
    "direction",
)
LEGS += ("duration", "calling_phone_number", "called_phone_number", "source")
PEOPLE = ("emails", "phone_numbers", "groups", "full_name")

TEXTS = st.sampled_from(
    ["Anna", "Боря", "anna", "101", "79260000001", "in", "out", "local", "mobile", "334otr01", ""]
)
LIKES = st.sampled_from(["%", "A%", "%n%", "_о%", "79%", "101", "%r01", "hung%", "an_a"])
NUMBERS = st.sampled_from([0, 1, 2, 5, 6, 7, 25, 60, 120, 0.5, 1.5, 1.7, 0.3, 3.4, 0.08])
CONDITIONS = {
    "groups": [
        "#.group_id = 1",
        '#.group_name = "Group 2"',
        "not #.group_id = 2",
        "#.group_id > 1",
    ],
    None: ['# = "7"', '# = "79260000001"', '# = "a@example.org"', 'not # = "b@example.org"'],
}


OPERATORS = {
    FieldKind.INTEGER: ["=", "!=", "<", ">", "<=", ">=", "in"],
    FieldKind.NUMBER: ["=", "!=", "<", ">", "<=", ">=", "in"],
    FieldKind.TEXT: ["=", "!=", "<", ">=", "like", "regexp", "in"],
    FieldKind.BOOLEAN: ["=", "!="],
    FieldKind.MOMENT: ["=", "!=", "<", ">="],
    FieldKind.STRUCTURE: ["=", "!=", "jsquery"],
}
VALUES: dict[FieldKind, st.SearchStrategy[Any]] = {
    FieldKind.INTEGER: NUMBERS.filter(lambda number: isinstance(number, int)),
    FieldKind.NUMBER: NUMBERS,
    FieldKind.TEXT: TEXTS,
    FieldKind.BOOLEAN: st.booleans(),
    FieldKind.MOMENT: st.sampled_from(["2026-05-01 12:00:05", "2026-05-01 12:05:00"]),
    FieldKind.STRUCTURE: st.none(),
}


def compared(field: ListedField) -> st.SearchStrategy[dict[str, Any]]:
    """Comparisons of a field."""

    def of_operator(operator: str) -> st.SearchStrategy[dict[str, Any]]:
        value = VALUES[field.kind]
        match operator:
            case "like":
                value = LIKES
            case "regexp":
                value = st.sampled_from(["n+", "^A", "1$"])
            case "in":
                value = st.lists(value, min_size=1, max_size=3)
            case "jsquery":
                value = st.sampled_from(CONDITIONS.get(field.name) or CONDITIONS[None])
            case "=" | "!=" if field.nullable:
                value = st.one_of(st.none(), value)
        return st.fixed_dictionaries(
            {"field": st.just(field.name), "operator": st.just(operator), "value": value}
        )

    return st.sampled_from(OPERATORS[field.kind]).flatmap(of_operator)


def trees(declared: ListDeclaration[Any], names: Sequence[str]) -> st.SearchStrategy[Any]:
    return st.recursive(
        st.one_of(*(compared(declared.listing.fields[name]) for name in names)),
        lambda inner: st.fixed_dictionaries(
            {
                "filters": st.lists(inner, min_size=1, max_size=3),
                "condition": st.sampled_from(["and", "or"]),
            }
        ),
        max_leaves=5,
    )


def orders(names: Sequence[str]) -> st.SearchStrategy[list[dict[str, str]]]:
    one = st.fixed_dictionaries(
        {"field": st.sampled_from(names), "order": st.sampled_from(["asc", "desc"])}
    )
    return st.lists(one, max_size=3)


def found_in_memory(everything: Sequence[Row], query: Query, shown: Any) -> list[Row]:
    """The rows of a query, as anybody would choose and order them."""

    def holds(found: Filter | None, row: Row) -> bool:
        return found is None or list_memory.holds(found, (dict(row) | shown(row)).__getitem__)

    rows = [row for row in everything if holds(query.filter, row)]
    if query.sort:
        rows = sorted(rows, key=lambda row: key_of(row))
    for order in reversed(query.sort):
        rows = sorted(rows, key=partial(part, order.field), reverse=order.descending)
    return rows


def key_of(row: Row) -> Any:
    return row.get("leg_id", row.get("id"))


def part(field: str, row: Row) -> tuple[bool, Any]:
    value = row[field]
    if isinstance(value, datetime):
        value = value.replace(microsecond=0)
    return value is not None, 0 if value is None else value


SORTED = {GET_CALLS_REPORT.name: CALLS, GET_FINANCIAL_CALL_LEGS_REPORT.name: LEGS}


@pytest.mark.parametrize(
    ("declared", "names"),
    [
        (GET_CALLS_REPORT, CALLS),
        (GET_FINANCIAL_CALL_LEGS_REPORT, LEGS),
        (GET_CONTACTS, PEOPLE),
    ],
    ids=lambda given: given.name if isinstance(given, ListDeclaration) else "",
)
def test_the_database_finds_what_memory_does(
    portal: BlockingPortal,
    database: AsyncEngine,
    declared: ListDeclaration[Any],
    names: Sequence[str],
) -> None:
    asked = report(declared, portal, database)
    everything = asked.read(asked.asked(None))
    assert len(everything) >= CONTACTS
    order_by = SORTED.get(declared.name, ("full_name",))

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(trees(declared, names), orders(order_by), st.booleans())
    def agree(tree: dict[str, Any], sort: list[dict[str, str]], finished: bool) -> None:
        query = asked.asked(tree, sort)
        if finished and declared is GET_CALLS_REPORT:
            over = {"field": "finish_reason", "operator": "!=", "value": None}
            over_too = asked.asked(over).filter
            assert over_too is not None
            assert query.filter is not None
            query = replace(query, filter=Every((over_too, query.filter)))
        expected = [key_of(row) for row in found_in_memory(everything, query, asked.shown)]
        assert [key_of(row) for row in asked.read(query)] == expected
        assert asked.count(query) == len(expected)

    agree()
