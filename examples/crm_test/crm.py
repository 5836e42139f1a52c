"""A CRM, as small as one can be: it starts calls, hears what becomes of them, and keeps tasks."""

import json
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Deal:
    id: str
    customer: str
    manager: int
    "Id of the employee."
    talked: float = 0.0
    "Seconds."
    outcome: str = "never called"


@dataclass
class Crm:
    url: str
    token: str
    number: str
    "The virtual number that customers see."
    deals: dict[str, Deal] = field(default_factory=dict)
    tasks: list[str] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)

    def call(self, deal_id: str) -> None:
        """Click to call: the manager's phone rings, then the customer's."""
        deal = self.deals[deal_id]
        self._request(
            "start.employee_call",
            first_call="employee",
            employee={"id": deal.manager},
            contact=deal.customer,
            virtual_phone_number=self.number,
            external_id=deal.id,
        )
        deal.outcome = "calling"

    def hear(self, event: Mapping[str, Any]) -> None:
        """Take one event: what a webhook posts."""
        if event["event_id"] in self.seen:
            return  # Events are delivered at least once.
        self.seen.add(event["event_id"])
        facts = event["data"]
        if event["type"] == "call.lost":
            self.tasks.append(f"call {facts['contact_phone_number']} back")
        elif event["type"] == "session.finished" and event["external_id"] in self.deals:
            deal = self.deals[event["external_id"]]
            deal.talked += facts["talk_time_duration"]
            if facts["last_talked_employee_id"]:
                deal.outcome = "talked"
            else:
                deal.outcome = facts["finish_reason"]
                self.tasks.append(f"call {deal.customer} again")

    def _request(self, method: str, **params: object) -> None:
        request = {
            "jsonrpc": "2.0",
            "id": 1,
            "method": method,
            "params": {"access_token": self.token, **params},
        }
        post = urllib.request.Request(
            f"{self.url}/v4.0",
            json.dumps(request).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(post, timeout=30) as response:
            answer = json.load(response)
        if "error" in answer:
            raise RuntimeError(answer["error"]["message"])
