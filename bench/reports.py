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
    ("communications, of 100", "get.communications_report", {"limit": 100}),
    (
        "lost, of 100 with their course",
        "get.call_details",
        {"filter": _comparison("call_status", "=", "lost"), "limit": 100},
    ),
    ("costs, of 100", "get.financial_call_legs_report", {"limit": 100}),
    ("legs, of 100", "get.call_legs_report", {"limit": 100}),
    ("api requests, of 100", "get.api_requests", {"limit": 100}),
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
    took = []
    for _ in range(ASKED):
        body = {
            "jsonrpc": "2.0",
            "id": 1,
            "method": method,
            "params": {"access_token": token, **WINDOW, **params},
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
        for table, columns, rows in (
            ("call_sessions", SESSION, _sessions()),
            ("call_legs", LEG, _legs()),
            ("call_tags", TAG, _tags()),
            ("api_requests", REQUEST, _requests()),
        ):
            places = ", ".join("?" * len(columns))
            connection.executemany(
                f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})", rows
            )
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
)
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
        )


def _legs() -> Iterator[tuple[object, ...]]:
    for number in range(SESSIONS):
        for leg, role in enumerate(("employee", "contact"), start=1):
            employee = number % EMPLOYEES if role == "employee" else None
            yield (
                _id(number) + leg,
                _id(number),
                1,
                role,
                "74993720001",
                "79260000001",
                employee,
                None if employee is None else f"Employee {employee}",
                _time(number),
                _time(number, 3),
                _time(number, 60),
                REASONS[number % len(REASONS)],
                "hung_up",
                "BYE",
                57.0,
                60.0,
                _time(number, 4),
            )


def _tags() -> Iterator[tuple[object, ...]]:
    for number in range(0, SESSIONS, 10):
        yield _id(number), 7, "Lead", "manual", _time(number, 5)


def _requests() -> Iterator[tuple[object, ...]]:
    for number in range(SESSIONS):
        yield 1, _time(number), "v4.0", "start.employee_call", "127.0.0.1", 1, "bench", None, 8.5
