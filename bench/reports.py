"""How soon reports answer when a million sessions are stored."""

import json
import random
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import httpx

from bench.figures import Figure, milliseconds, quantile
from callwright.app import service
from callwright.calls.plan import SOURCES
from callwright.config import Settings
from callwright.directory.media import take_in
from callwright.provisioning.administration import initialise
from callwright.speech.music import write_dialing_music
from callwright.storage.database import migrate, open_database

SESSIONS = 1_000_000
"All within the three months that a report may be asked for."
ASKED = 9
"Times every page is asked for; the median is told."
AT_MOST = 0.200
BEGAN, TILL = datetime(2026, 5, 1), datetime(2026, 7, 31, 23, 59, 59)
WINDOW = {"date_from": str(BEGAN), "date_till": str(TILL)}
EMPLOYEES = 100
CONTACTS = 100_000
FREE = (None, None, None, 0, 0.0)
REASONS = (
    "subscriber_disconnects",
    "operator_disconnects",
    "no_success_subscriber_call",
    "operator_busy",
    "timeout",
)

Asked = tuple[str, str, dict[str, Any]]


def _comparison(field: str, operator: str, value: object) -> dict[str, object]:
    return {"field": field, "operator": operator, "value": value}


PAGES: tuple[Asked, ...] = (
    ("first page", "get.calls_report", {}),
    ("page of 100", "get.calls_report", {"limit": 100}),
    ("page 101 of 1000 rows each", "get.calls_report", {"offset": 100_000}),
    ("latest first", "get.calls_report", {"sort": [{"field": "start_time", "order": "desc"}]}),
    (
        "longest talks first, of 100",
        "get.calls_report",
        {"sort": [{"field": "talk_duration", "order": "desc"}], "limit": 100},
    ),
    ("lost calls", "get.calls_report", {"filter": _comparison("is_lost", "=", True)}),
    (
        "one employee's talks over three minutes",
        "get.calls_report",
        {
            "filter": {
                "filters": [
                    _comparison("employee_id", "=", 5),
                    _comparison("talk_duration", ">", 180),
                ],
                "condition": "and",
            }
        },
    ),
    (
        "one source or one reason",
        "get.calls_report",
        {
            "filter": {
                "filters": [
                    _comparison("source", "=", "va"),
                    _comparison("finish_reason", "in", ["timeout", "operator_busy"]),
                ],
                "condition": "or",
            }
        },
    ),
    (
        "one contact",
        "get.calls_report",
        {"filter": _comparison("contact_phone_number", "=", "79260000077")},
    ),
    (
        "contacts like %77",
        "get.calls_report",
        {"filter": _comparison("contact_phone_number", "like", "%77"), "limit": 100},
    ),
    (
        "one external id",
        "get.calls_report",
        {"filter": _comparison("call_api_external_id", "=", "crm-77777")},
    ),
    (
        "employees and tags of 1000 rows",
        "get.calls_report",
        {"fields": ["id", "employees", "tags", "last_talked_employee_id"]},
    ),
    (
        "longest talks first, page 101 of 100",
        "get.calls_report",
        {"sort": [{"field": "talk_duration", "order": "desc"}], "limit": 100, "offset": 10_000},
    ),
    (
        "latest to end first, of 100",
        "get.calls_report",
        {"sort": [{"field": "finish_time", "order": "desc"}], "limit": 100},
    ),
    *(
        (what, "get.calls_report", {"filter": _comparison(field, operator, value), "limit": 100})
        for what, field, operator, value in (
            ("with a tag, of 100", "tags", "jsquery", "#.tag_id = 7"),
            ("without tags, of 100", "tags", "=", None),
            ("somebody rung, of 100", "employees", "jsquery", "#.employee_id = 5"),
            ("somebody talked last, of 100", "last_talked_employee_id", "=", 5),
            ("recorded, of 100", "call_records", "!=", None),
        )
    ),
    *(
        (
            f"sorted by {what}, of 100",
            "get.calls_report",
            {"sort": [{"field": field, "order": "desc"}], "limit": 100},
        )
        for what, field in (
            ("who talked last", "last_talked_employee_id"),
            ("the name of who talked last", "last_talked_employee_full_name"),
            ("the number that talked", "operator_phone_number"),
            ("what was sold", "sale_cost"),
            ("external id", "call_api_external_id"),
            ("the contact's name", "contact_full_name"),
        )
    ),
    *(
        (what, "get.calls_report", {"filter": _comparison(field, operator, value), "limit": 100})
        for what, field, operator, value in (
            (
                "names that talked first like %e 7%, of 100",
                "first_talked_employee_full_name",
                "like",
                "%e 7%",
            ),
            ("one number that talked, of 100", "operator_phone_number", "=", "10007"),
            ("sold for more, of 100", "sale_cost", ">", 5000),
            ("external ids like %77, of 100", "call_api_external_id", "like", "%77"),
            ("contacts' names like %77%, of 100", "contact_full_name", "like", "%77%"),
        )
    ),
    ("communications, of 100", "get.communications_report", {"limit": 100}),
    (
        "lost, of 100 with their course",
        "get.call_details",
        {"filter": _comparison("call_status", "=", "lost"), "limit": 100},
    ),
    ("costs, of 100", "get.financial_call_legs_report", {"limit": 100}),
    (
        "dearest first, of 100",
        "get.financial_call_legs_report",
        {"sort": [{"field": "total_charge", "order": "desc"}], "limit": 100},
    ),
    (
        "dear legs, of 100",
        "get.financial_call_legs_report",
        {"filter": _comparison("total_charge", ">", 15), "limit": 100},
    ),
    (
        "legs by what is charged, of 100",
        "get.financial_call_legs_report",
        {"sort": [{"field": "chargeable_duration", "order": "desc"}], "limit": 100},
    ),
    ("legs, of 100", "get.call_legs_report", {"limit": 100}),
    ("api requests, of 100", "get.api_requests", {"limit": 100}),
    *(
        (what, "get.contacts", {"filter": _comparison(field, "jsquery", value), "limit": 100})
        for what, field, value in (
            ("contacts with a number", "phone_numbers", '# = "79260000077"'),
            ("contacts with an address", "emails", '# = "contact77@example.org"'),
        )
    ),
    ("contacts of 1000", "get.contacts", {}),
)


async def reports() -> list[Figure]:
    """Fill a database with a million sessions; ask for pages of reports with their totals."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        settings = Settings.model_validate(
            {
                "data": folder,
                "engine": "simulated",
                "http": {"port": 0},
                "api": {"points_per_minute": 10_000},
                # Nothing is to be removed meanwhile, whatever the date is.
                "history": {"sessions_kept": 36_500, "requests_kept": 36_500},
            }
        )
        token = await _furnish(folder, settings)
        await anyio.to_thread.run_sync(_fill, folder / "callwright.db")
        async with service(settings) as up, httpx.AsyncClient(timeout=60) as client:
            measured = [await _measured(client, up.url, token, page) for page in PAGES]
    firsts = [first for _, first in measured]
    return [
        *(figure for figure, _ in measured),
        # The total of what is long over is counted once for all pages; this is that once.
        milliseconds("… asked for the first time, median of them", quantile(firsts, 0.5), AT_MOST),
        milliseconds("… asked for the first time, worst of them", max(firsts), AT_MOST),
    ]


async def _measured(
    client: httpx.AsyncClient, url: str, token: str, page: Asked
) -> tuple[Figure, float]:
    """Ask for a page again and again; return the figure, and how long it took the first time."""
    what, method, params = page
    window = {} if method == "get.contacts" else WINDOW
    took = []
    for _ in range(ASKED):
        body = {
            "jsonrpc": "2.0",
            "id": 1,
            "method": method,
            "params": {"access_token": token, **window, **params},
        }
        began = time.monotonic()
        response = await client.post(f"{url}/v2.0", content=json.dumps(body))
        took.append(time.monotonic() - began)
        answer = response.json()
        if "error" in answer:
            raise RuntimeError(f"{what}: {answer['error']['message']}")
        total = answer["result"]["metadata"]["total_items"]
    told = f"{SESSIONS:,} sessions: {what} ({total:,} in all)"
    return milliseconds(told, quantile(took, 0.5), AT_MOST), took[0]


async def _furnish(folder: Path, settings: Settings) -> str:
    music = folder / "music.wav"
    write_dialing_music(music)
    database = open_database(settings.database_url)
    await migrate(database)
    token = await initialise(
        database,
        account="Bench",
        login="bench",
        music=take_in(music, folder / "media", at_most=60),
    )
    await database.dispose()
    return token.text


def _fill(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA cache_size = -500000")
        indexes = connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
        ).fetchall()
        # Made when all is there, which takes a fraction of the time; what the planner is told of
        # them stays, or else it goes with them.
        told = connection.execute("SELECT tbl, idx, stat FROM sqlite_stat1").fetchall()
        for name, _ in indexes:
            connection.execute(f"DROP INDEX {name}")
        for table, columns, rows in (
            ("call_sessions", SESSION, _sessions()),
            ("call_legs", LEG, _legs()),
            ("call_recordings", RECORDING, _recordings()),
            ("call_tags", TAG, _tags()),
            ("contacts", CONTACT, _contacts()),
            ("contact_numbers", NUMBER, _numbers()),
            ("api_requests", REQUEST, _requests()),
        ):
            places = ", ".join("?" * len(columns))
            connection.executemany(
                f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})", rows
            )
            connection.commit()
        for _, made_by in indexes:
            connection.execute(made_by)
        connection.execute("DELETE FROM sqlite_stat1")
        connection.executemany("INSERT INTO sqlite_stat1 VALUES (?, ?, ?)", told)
        connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


SESSION = (
    "id",
    "account_id",
    "method",
    "source",
    "direction",
    "virtual_number",
    "contact_number",
    "external_id",
    "employee_id",
    "employee_full_name",
    "started_at",
    "finished_at",
    "finish_reason",
    "ended_by",
    "fault",
    "detail",
    "wait_duration",
    "talk_duration",
    "total_duration",
    "is_lost",
    "is_transfer",
    "contact_id",
    "contact_full_name",
    "sale_id",
    "sale_date",
    "sale_cost",
    *(
        f"{which}_{what}_employee_{fact}"
        for what in ("answered", "talked")
        for which in ("first", "last")
        for fact in ("id", "full_name")
    ),
    "operator_number",
)
LEG = (
    "id",
    "session_id",
    "account_id",
    "role",
    "calling_number",
    "called_number",
    "employee_id",
    "employee_full_name",
    "started_at",
    "answered_at",
    "ended_at",
    "finish_reason",
    "cause",
    "raw",
    "talk_duration",
    "total_duration",
    "talked_at",
    "direction_type",
    "per_minute",
    "charge_step",
    "chargeable_duration",
    "total_charge",
)
RECORDING = ("id", "session_id", "kind", "legs", "file_name", "started_at", "duration", "record")
CONTACT = ("id", "account_id", "last_name", "full_name", "emails")
NUMBER = ("contact_id", "position", "number", "account_id")
TAG = ("session_id", "tag_id", "tag_name", "tag_type", "set_at")
REQUEST = (
    "account_id",
    "time",
    "api",
    "method",
    "ip",
    "user_id",
    "user_login",
    "mnemonic",
    "duration",
)


def _id(number: int) -> int:
    return (1 << 32) + 8 * number


def _time(number: int, offset: float = 0.0) -> str:
    began = BEGAN + number * (TILL - BEGAN) / SESSIONS + timedelta(seconds=offset)
    return began.strftime("%Y-%m-%d %H:%M:%S.%f")


def _sessions() -> Iterator[tuple[object, ...]]:
    chance = random.Random(1)
    methods = list(SOURCES.items())
    for number in range(SESSIONS):
        method, source = chance.choice(methods)
        waited, talked = chance.uniform(1, 30), chance.uniform(0, 300)
        yield (
            _id(number),
            1,
            method,
            source,
            chance.choice(("in", "out")),
            f"7499372{chance.randrange(50):04}",
            f"7926{chance.randrange(200_000):07}",
            f"crm-{number}",
            number % EMPLOYEES,
            f"Employee {number % EMPLOYEES}",
            _time(number),
            _time(number, waited + talked),
            chance.choice(REASONS),
            "contact",
            "nobody",
            "",
            round(waited, 3),
            round(talked, 3),
            round(waited + talked, 3),
            chance.random() < 0.2,
            False,
            *_known(number),
            *_sold(number),
            *_talked_with(number),
        )


def _known(number: int) -> tuple[object, ...]:
    """Who the contact is: one in ten sessions is with somebody the account knows."""
    contact = 1 + number // 10 % CONTACTS
    return (contact, f"Contact {contact} Known") if number % 10 == 0 else (None, None)


def _sold(number: int) -> tuple[object, ...]:
    if number % 50:
        return None, None, None
    return 1 + number, _time(number, 86_400), float(number % 9973)


def _rung(number: int) -> int:
    """The employee who is rung in a session: not always whom it was asked for."""
    return number * 7 % EMPLOYEES


def _talked_with(number: int) -> tuple[object, ...]:
    if not _talks(number):
        return (None,) * 9
    employee = _rung(number)
    return (*(employee, f"Employee {employee}") * 4, f"1{employee:04}")


def _talks(number: int) -> bool:
    """In one of five sessions nobody answers."""
    return number // 100 % 5 > 0


def _price(chance: random.Random, talked: float) -> tuple[object, ...]:
    per_minute = chance.choice((1.5, 2.5, 4.0))
    minutes = -(-round(talked) // 60)
    return "mobile", per_minute, 60, minutes * 60, minutes * per_minute


def _legs() -> Iterator[tuple[object, ...]]:
    """Of each session an employee's, and the contact's."""
    chance = random.Random(2)
    for number in range(SESSIONS):
        talks = _talks(number)
        for leg, role in enumerate(("employee", "contact"), start=1):
            employee = _rung(number) if role == "employee" else None
            talked = round(chance.uniform(0, 300), 3) if talks else 0.0
            yield (
                _id(number) + leg,
                _id(number),
                1,
                role,
                "74993720001",
                f"7926{number % 200_000:07}" if employee is None else f"1{employee:04}",
                employee,
                None if employee is None else f"Employee {employee}",
                _time(number),
                _time(number, 3) if talks else None,
                _time(number, 3 + talked),
                REASONS[number % len(REASONS)],
                "hung_up",
                "BYE",
                talked,
                talked + 3,
                _time(number, 4) if talks else None,
                *(_price(chance, talked) if employee is None else FREE),
            )


def _recordings() -> Iterator[tuple[object, ...]]:
    for number in range(0, SESSIONS, 10):
        legs = json.dumps([_id(number) + 1, _id(number) + 2])
        yield (
            _id(number) + 3,
            _id(number),
            "talk",
            legs,
            f"{number}.wav",
            _time(number, 4),
            60.0,
            f"{number:032x}",
        )


def _contacts() -> Iterator[tuple[object, ...]]:
    for number in range(CONTACTS):
        name = f"Contact {number} Known"
        yield 1 + number, 1, name, name, json.dumps([f"contact{number}@example.org"])


def _numbers() -> Iterator[tuple[object, ...]]:
    for number in range(CONTACTS):
        for position in range(1 + number % 2):
            yield 1 + number, position, f"7926{number + position * CONTACTS:07}", 1


def _tags() -> Iterator[tuple[object, ...]]:
    for number in range(0, SESSIONS, 10):
        yield _id(number), 7, "Lead", "manual", _time(number, 5)


def _requests() -> Iterator[tuple[object, ...]]:
    for number in range(SESSIONS):
        yield 1, _time(number), "v4.0", "start.employee_call", "127.0.0.1", 1, "bench", None, 8.5
