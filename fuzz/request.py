"""Damaged requests to the API: each gets a JSON-RPC answer, and none is an internal error."""

import json
import logging
import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path

from fuzz.damage import NASTY
from fuzz.harness import main
from tests.api.house import TOKEN, House, house

SEED = (Path(__file__).parents[1] / "demo" / "request.json").read_bytes()


def _call(method: str, **params: object) -> bytes:
    request = {"jsonrpc": "2.0", "id": 1, "method": method}
    return json.dumps(request | {"params": {"access_token": TOKEN} | params}).encode()


VALUES: tuple[object, ...] = (
    None,
    True,
    False,
    0,
    -1,
    1,
    25,
    2**31,
    2**63,
    2**64,
    10**400,
    1.5,
    "",
    "25",
    "tts",
    "media",
    "79260000001",
    "+7 (926) 000-00-01",
    "\ud800",
    "\x00",
    "\u202e",
    "..12..",
    "a" * 3000,
    [],
    {},
    [[]],
    {"type": "tts", "value": "Привет"},
    *(word.decode("utf-8", "replace") for word in NASTY),
)


class Requests:
    def __init__(self, up: House) -> None:
        self._house = up
        methods = up.client.get(f"{up.url}/openrpc.json").json()["methods"]
        self.seeds = (
            SEED,
            _call("login.user", login="crm", password="wrong"),
            *(
                _call(
                    method["name"],
                    **{param["name"]: 1 for param in method["params"] if param.get("required")},
                )
                for method in methods
            ),
        )

    def take(self, data: bytes, chance: random.Random) -> str:
        if chance.random() < 0.7:
            data = _other_values(chance.choice(self.seeds), chance)
        response = self._house.client.post(f"{self._house.url}/v4.0", content=data)
        if response.status_code == 413:
            return "413"
        assert response.status_code == 200, response.text
        answer = response.json()
        assert answer["jsonrpc"] == "2.0"
        assert ("result" in answer) != ("error" in answer)
        if "result" in answer:
            return "accepted"
        mnemonic = answer["error"]["data"]["mnemonic"]
        assert mnemonic != "internal_error", answer
        return str(mnemonic)


def _other_values(seed: bytes, chance: random.Random) -> bytes:
    """Damage the meaning and keep the form: values of other kinds, names taken away or added."""
    document = json.loads(seed)
    for _ in range(chance.choice((1, 1, 2, 4))):
        place = chance.choice([document, document["params"], *_inner(document["params"])])
        if not isinstance(place, dict) or not place:
            continue
        name = chance.choice([name for name in place if name != "access_token"] or ["x"])
        match chance.randrange(4):
            case 0:
                place.pop(name, None)
            case 1:
                place[str(_value(chance))] = _value(chance)
            case _:
                place[name] = _value(chance)
        if not isinstance(document.get("params"), dict):
            break
    return json.dumps(document).encode("utf-8", "replace")


def _value(chance: random.Random) -> object:
    # A copy: what is damaged next must not be in two places, or in itself.
    return deepcopy(chance.choice(VALUES))


def _inner(params: dict[str, object]) -> list[object]:
    return [value for value in params.values() if isinstance(value, dict)]


@contextmanager
def requests() -> Iterator[Requests]:
    logging.disable(logging.ERROR)
    try:
        with tempfile.TemporaryDirectory() as folder:
            limits = {"points_per_minute": 10**9, "points_per_day": 10**9}
            # One deeper: what is built once for all stands beside it, and must go with it.
            with house(Path(folder) / "house", {}, api=limits) as up:
                yield Requests(up)
    finally:
        logging.disable(logging.NOTSET)


if __name__ == "__main__":
    main(requests)
