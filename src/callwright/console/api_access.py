"""Access to the API from within the process: what pages show and change, by the API's own rules."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from callwright.methods.method import Answer, Caller, Method
from callwright.rpc.auth import Client, check_right
from callwright.rpc.dispatch import Dispatcher
from callwright.rpc.envelope import Json
from callwright.rpc.parameters import read_params


class RefusedRequest(Exception):
    """The API has refused a request; the text says why."""

    def __init__(self, mnemonic: str, message: str, field: str | None) -> None:
        super().__init__(message)
        self.mnemonic = mnemonic
        self.field = field


@dataclass(frozen=True, slots=True)
class Listed:
    """Rows of a list, and how many there are in all."""

    rows: list[dict[str, Any]]
    total: int


class ApiAccess:
    """Both APIs. What is only read takes no point of the account's, and stands in no log."""

    def __init__(self, calls: Dispatcher, data: Dispatcher) -> None:
        self._calls = calls
        self._data = data

    def may(self, caller: Caller, name: str) -> bool:
        """Whether the user may call a method: its component is not disabled."""
        return self._method(name).component not in caller.user.disabled_components

    def check(self, caller: Caller, name: str) -> None:
        """Raise the `callwright.methods.api_error.ApiError` that forbids a method, if one does."""
        check_right(caller.user, caller.account, self._method(name).component)

    async def read(self, caller: Caller, name: str, params: Mapping[str, Json]) -> Any:
        """What a method gives. Raises `callwright.methods.api_error.ApiError`."""
        return (await self._served(caller, name, params))[0]

    async def rows(self, caller: Caller, name: str, params: Mapping[str, Json]) -> Listed:
        """What a method gives that lists something. Raises as `read` does."""
        rows, metadata = await self._served(caller, name, params)
        total = metadata.get("total_items")
        return Listed(rows, total if isinstance(total, int) else len(rows))

    async def _served(
        self, caller: Caller, name: str, params: Mapping[str, Json]
    ) -> tuple[Any, Mapping[str, object]]:
        method = self._method(name)
        check_right(caller.user, caller.account, method.component)
        checked = read_params(method, dict(params), lenient=False)
        result = await method.serve(caller, checked)
        if isinstance(result, Answer):
            return json.loads(result.data), result.metadata
        return result, {}

    def _method(self, name: str) -> Method[Any]:
        for dispatcher in (self._calls, self._data):
            if isinstance(method := dispatcher.methods.get(name), Method):
                return method
        raise LookupError(f"there is no method {name}")

    async def ask(
        self, client: Client, token: str | None, name: str, params: Mapping[str, Json]
    ) -> Any:
        """Make a request as any client does, with its point and its line in the logs.

        ``token``: None for methods that need none. Raises `RefusedRequest`.
        """
        body = {"jsonrpc": "2.0", "id": 1, "method": name, "params": params}
        sender = replace(client, bearers=() if token is None else (token,))
        dispatcher = self._calls if name in self._calls.methods else self._data
        answer = json.loads(await dispatcher.respond(json.dumps(body).encode(), sender))
        if error := answer.get("error"):
            data = error["data"]
            raise RefusedRequest(data["mnemonic"], error["message"], data["field"])
        return answer["result"]["data"]
