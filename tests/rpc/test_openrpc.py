"""The description of the API agrees with what serves it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from callwright.methods.data.registry import DATA_CATALOGUE
from callwright.methods.method import Declaration
from callwright.methods.registry import CATALOGUE
from callwright.rpc.openrpc import describe
from tests.rpc.world import TOYS

DOCUMENT = describe([*TOYS, *CATALOGUE], version="1.2.3")
DATA_DOCUMENT = describe(
    DATA_CATALOGUE, version="1.2.3", title="Data", url="http://127.0.0.1:8080/v2.0"
)
METHODS: dict[str, Any] = {
    method["name"]: method for method in (*DOCUMENT["methods"], *DATA_DOCUMENT["methods"])
}


def references(part: object) -> Iterator[str]:
    if isinstance(part, dict):
        if "$ref" in part:
            yield part["$ref"]
        for inner in part.values():
            yield from references(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from references(inner)


def test_it_is_openrpc() -> None:
    assert DOCUMENT["openrpc"] == "1.3.2"
    assert DOCUMENT["info"] == {"title": "Callwright Call API", "version": "1.2.3"}
    for method in METHODS.values():
        assert {"name", "params", "result", "errors", "paramStructure"} <= method.keys()
        assert all({"name", "schema"} <= param.keys() for param in method["params"])
    json.dumps(DOCUMENT, allow_nan=False)


def test_every_reference_leads_somewhere() -> None:
    found = set(references(DOCUMENT))
    assert "#/components/schemas/ToyEmployee" in found
    assert found == {f"#/components/schemas/{name}" for name in DOCUMENT["components"]["schemas"]}
    assert set(references(DATA_DOCUMENT)) == {
        f"#/components/schemas/{name}" for name in DATA_DOCUMENT["components"]["schemas"]
    }


def test_a_list_counts_its_items() -> None:
    def metadata(method: str) -> dict[str, Any]:
        found: dict[str, Any] = METHODS[method]["result"]["schema"]["properties"]["metadata"]
        return found

    assert "total_items" in metadata("get.account")["properties"]
    assert "total_items" not in metadata("list.calls")["properties"]


@pytest.mark.parametrize(
    "method",
    {method.name: method for method in (*CATALOGUE, *DATA_CATALOGUE)}.values(),
    ids=lambda method: method.name,
)
def test_every_parameter_is_described_the_required_ones_first(method: Declaration[Any]) -> None:
    of_all = {"access_token", "user_id"}
    params = [param for param in METHODS[method.name]["params"] if param["name"] not in of_all]
    fields = method.params.model_fields
    required = [name for name, field in fields.items() if field.is_required()]
    others = [name for name in fields if name not in required]
    assert [param["name"] for param in params] == [*required, *others]
    assert [param["name"] for param in params if param["required"]] == required
    assert all(param["description"] for param in params)


def test_the_token_comes_first_of_what_need_not_be_given() -> None:
    def optional(method: str) -> list[str]:
        params = METHODS[method]["params"]
        return [param["name"] for param in params if not param["required"]]

    assert optional("toy.call")[0] == "access_token"
    assert optional("login.user") == []
    assert optional("get.tags")[:2] == ["access_token", "user_id"]
    assert "user_id" not in optional("list.calls")


def test_errors_have_the_code_of_the_method() -> None:
    def errors(method: str) -> dict[str, int]:
        return {error["data"]["mnemonic"]: error["code"] for error in METHODS[method]["errors"]}

    assert errors("toy.call")["contact_in_blacklist"] == -32002
    assert errors("toy.call")["access_token_expired"] == -32001
    assert "access_token_expired" not in errors("login.user")
    assert "parse_error" not in errors("login.user")
    assert errors("login.user")["auth_error"] == -32001
    assert errors("start.scenario_call")["contact_in_blacklist"] == -32602
    assert errors("start.scenario_call")["scenario_not_found"] == -32602
    assert errors("start.vnumber_call")["scenario_not_found"] == -32007


def test_the_result_is_data_and_metadata() -> None:
    schema = METHODS["login.user"]["result"]["schema"]
    assert schema["required"] == ["data", "metadata"]
    data = schema["properties"]["data"]
    assert data["required"] == ["access_token", "expire_at", "app_id"]
    assert data["properties"]["expire_at"]["description"].startswith("Unix time")
