"""Samples: an event of each type that has not happened, to try a webhook with."""

import secrets
from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime

from pydantic import JsonValue

from callwright.calls.plan import SessionId
from callwright.directory.model import AccountId
from callwright.public_events.catalogue import TYPES
from callwright.public_events.notice import Notice, iso

NOBODYS = SessionId(1)
"Ids of sessions that have happened begin far above."

FACTS: Mapping[str, JsonValue] = {
    "branch": "sales",
    "button": "*1",
    "called_phone_number": "79260000001",
    "calling_phone_number": "79260000000",
    "cause": "hung_up",
    "coached_leg_id": 3,
    "codes": ["vip"],
    "contact_full_name": "Седов Олег",
    "contact_group_ids": [3],
    "contact_id": 41,
    "contact_phone_number": "79260000000",
    "detail": "",
    "direction": "in",
    "employee_full_name": "Анна Орлова",
    "employee_id": 25,
    "employee_ids": [25],
    "employee_phone_number": "79260000001",
    "ended_by": "contact",
    "fault": "nobody",
    "file_duration": 41,
    "file_fault": None,
    "file_link": "https://calls.example.com/recordings/4?expires=1796058000&signature=c2FtcGxl",
    "file_name": "1-4.wav",
    "finish_reason": "subscriber_disconnects",
    "hold_time_duration": 13,
    "is_lost": False,
    "is_transfer": False,
    "key": "5",
    "keys": "5",
    "label": "media 2561",
    "last_talked_employee_id": 25,
    "leg_id": 2,
    "leg_ids": [2, 3],
    "lost_reason": "no_success_operator_call",
    "method": "start.employee_call",
    "mode": "whisper",
    "number": 1,
    "offered": False,
    "operation": "ring",
    "pending": "",
    "phone_number": "79260000000",
    "phones": 2,
    "position": 1,
    "quality": {
        "received": 2060,
        "sent": 2061,
        "lost": 2,
        "far_lost": 0,
        "jitter": 0.002,
        "round_trip": 0.03,
        "mos": 4.3,
    },
    "queue": "sales",
    "raw": "BYE",
    "reached": True,
    "reason": "the file cannot be read",
    "record_id": "5f0c1e6a9b2d4837a1c05e7f9d3b6a24",
    "recording_id": 4,
    "role": "employee",
    "state": "talk",
    "tag_id": 7,
    "tag_ids": [7],
    "tag_name": "Лид",
    "tag_names": ["Лид"],
    "talk_time_duration": 41,
    "to_employee_full_name": "Пётр Громов",
    "to_employee_id": 28,
    "to_employee_phone_number": "79260000028",
    "to_leg_id": 3,
    "total_time_duration": 54,
    "virtual_phone_number": "74993720692",
    "wait_time_duration": 13,
    "whole": True,
}


def sample(event_type: str, account: AccountId, now: datetime) -> Notice:
    """Return an event of this type, which must be one there is. Each has an id of its own."""
    facts = {**FACTS, "start_time": iso(now)}
    return Notice(
        event_id=f"test-{secrets.token_hex(8)}",
        type=event_type,
        account=account,
        session=NOBODYS,
        sequence=1,
        time=now,
        external_id="test",
        data={one.name: facts[one.name] for one in fields(TYPES[event_type])},
    )
