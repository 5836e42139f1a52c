"""Lists over HTTP: pages, fields, order, filters and everything that is refused."""

from collections.abc import Iterator
from typing import Any

import pytest

from callwright.methods.data.list_method import ListDeclaration
from callwright.methods.data.list_request import ReportRequest
from callwright.methods.data.marketing_lists import GET_CHAT_MESSAGES_REPORT
from callwright.methods.data.registry import LISTS
from tests.api.answers import INVALID, TYPE, refusal, without_metadata
from tests.api.house import DIRECTORY, STRANGER, House, house
from tests.databases import StoredIn

NUMBERS = DIRECTORY.replace(
    'name = "House"', 'name = "House"\ntimezone = "Europe/Moscow"'
) + "".join(f'[[virtual_numbers]]\nnumber = "7499000000{last}"\n' for last in range(3))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, stored_in: StoredIn) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("house")
    with house(folder, {}, stored_in, api={"points_per_minute": 100_000}) as built:
        built.apply(NUMBERS)
        yield built


ALWAYS_EMPTY = [one for one in LISTS if one.table is None]


def listed(home: House, **params: object) -> tuple[list[Any], int]:
    """The rows, and how many there are in all."""
    answer = home.data("get.virtual_numbers", params)
    assert set(answer) == {"jsonrpc", "id", "result"}, answer
    result = answer["result"]
    assert set(result["metadata"]) == {"total_items", "limits"}
    return result["data"], result["metadata"]["total_items"]


def test_the_account_says_its_name_and_its_time_zone(home: House) -> None:
    answer = home.data("get.account", {})
    assert answer["result"]["data"] == [{"app_id": 1, "name": "House", "timezone": "Europe/Moscow"}]
    assert answer["result"]["metadata"]["total_items"] == 1


def test_an_account_sees_its_own(home: House) -> None:
    answer = home.data("get.account", {}, STRANGER)
    assert answer["result"]["data"] == [{"app_id": 2, "name": "Another house", "timezone": "UTC"}]
    assert home.data("get.virtual_numbers", {}, STRANGER)["result"]["data"] == []


def test_numbers_are_shown_with_their_scenarios(home: House) -> None:
    rows, total = listed(home)
    assert total == len(rows) == 5
    assert rows[0] == {
        "id": 1,
        "virtual_phone_number": "74993720692",
        "child_customer_id": None,
        "redirection_phone_number": None,
        "activation_date": None,
        "name": None,
        "comment": None,
        "status": "active",
        "category": "usual",
        "type": "va",
        "campaigns": [],
        "site_blocks": [],
        "scenarios": [
            {
                "scenario_id": 1,
                "scenario_name": "Reception",
                "call_processing_rule_id": None,
                "is_active": True,
            }
        ],
    }
    assert rows[1]["scenarios"] == []


def test_both_apis_share_tokens_and_points(home: House) -> None:
    before = home.call("list.calls", {})["result"]["metadata"]["limits"]
    after = home.data("get.account", {})["result"]["metadata"]["limits"]
    assert after["day_remaining"] == before["day_remaining"] - 1
    assert home.data("list.calls", {})["error"]["data"]["mnemonic"] == "method_not_found"


@pytest.mark.parametrize(
    ("page", "ids"),
    [
        ({"limit": 2}, [1, 2]),
        ({"limit": 2, "offset": 1}, [2, 4]),
        ({"limit": 5}, [1, 2, 4, 5, 6]),
        ({"offset": 4}, [6]),
        ({"offset": 5}, []),
        ({"offset": 100_000, "limit": 10_000}, []),
    ],
)
def test_a_page_is_a_part_and_the_total_tells_of_all(
    home: House, page: dict[str, int], ids: list[int]
) -> None:
    rows, total = listed(home, fields=["id"], **page)
    assert rows == [{"id": one} for one in ids]
    assert total == 5


def test_fields_are_shown_in_the_order_asked_for_and_once(home: House) -> None:
    rows, _ = listed(home, fields=["type", "id", "type", "campaigns"], limit=1)
    assert list(rows[0].items()) == [("type", "va"), ("id", 1), ("campaigns", [])]


def test_rows_are_sorted_by_several_fields(home: House) -> None:
    sort = [{"field": "type"}, {"field": "virtual_phone_number", "order": "desc"}]
    rows, _ = listed(home, fields=["id"], sort=sort)
    assert [row["id"] for row in rows] == [2, 1, 6, 5, 4], "the third is disabled"


Parameters = dict[str, Any]

BAD_VALUES: list[tuple[Parameters, str, str]] = [
    ({"limit": 0}, "limit", "0"),
    ({"limit": 10_001}, "limit", "10001"),
    ({"offset": -1}, "offset", "-1"),
    ({"offset": 100_001}, "offset", "100001"),
    ({"fields": ["id", "nothing"]}, "fields.1", "nothing"),
    ({"sort": [{"field": "nothing"}]}, "sort.0.field", "nothing"),
    ({"sort": [{"field": "id", "order": "up"}]}, "sort.0.order", "up"),
]
BAD_FILTERS: list[tuple[Parameters, dict[str, str]]] = [
    (
        {"field": "nothing", "operator": "=", "value": 1},
        {"field": "filter.field", "value": "nothing"},
    ),
    (
        {"field": "id", "operator": "~", "value": 1},
        {"field": "filter.operator", "value": "~"},
    ),
    (
        {"field": "id", "operator": "like", "value": "1"},
        {"field": "filter.operator", "value": "like"},
    ),
    (
        {"field": "id", "operator": "<", "value": None},
        {"field": "filter.value", "value": "null"},
    ),
    ({"field": "id", "operator": "<"}, {"field": "filter.value", "value": "null"}),
    (
        {"field": "id", "operator": "in", "value": [1, None]},
        {"field": "filter.value.1", "value": "null"},
    ),
    (
        {"field": "id", "operator": "in", "value": []},
        {"field": "filter.value", "value": "[]"},
    ),
    (
        {"field": "id", "operator": "=", "value": 1.5},
        {"field": "filter.value", "value": "1.5"},
    ),
    (
        {"field": "id", "operator": "=", "value": 1 << 63},
        {"field": "filter.value", "value": str(1 << 63)},
    ),
    (
        {"field": "virtual_phone_number", "operator": "regexp", "value": "("},
        {"field": "filter.value", "value": "("},
    ),
    (
        {"field": "virtual_phone_number", "operator": "regexp", "value": "(a)\\1"},
        {"field": "filter.value", "value": "(a)\\1"},
    ),
    (
        {"field": "virtual_phone_number", "operator": "regexp", "value": "a" * 256},
        {"field": "filter.value", "value": "a" * 256},
    ),
    (
        {"field": "virtual_phone_number", "operator": "=", "value": "a" * 1001},
        {"field": "filter.value", "value": "a" * 1001},
    ),
    (
        {"field": "scenarios", "operator": "jsquery", "value": "scenario_id"},
        {"field": "filter.value", "value": "scenario_id"},
    ),
    (
        {"field": "scenarios", "operator": "=", "value": "Reception"},
        {"field": "filter.value", "value": "Reception"},
    ),
    (
        {
            "filters": [{"field": "id", "operator": "=", "value": 1}],
            "condition": "xor",
        },
        {"field": "filter.condition", "value": "xor"},
    ),
]
BAD_TYPES: list[tuple[Parameters, str, str]] = [
    ({"limit": "five"}, "limit", "five"),
    ({"fields": "id"}, "fields", "id"),
    ({"sort": {"field": "id"}}, "sort", '{"field": "id"}'),
    ({"filter": 5}, "filter", "5"),
    ({"filter": {"filters": 5}}, "filter.filters", "5"),
    (
        {"filter": {"field": "id", "operator": "=", "value": {"a": 1}}},
        "filter.value",
        '{"a": 1}',
    ),
    ({"filter": {"field": "id", "operator": "=", "value": "x"}}, "filter.value", "x"),
    ({"filter": {"field": "id", "operator": "=", "value": True}}, "filter.value", "true"),
    ({"filter": {"field": "id", "operator": "=", "value": [1]}}, "filter.value", "[1]"),
    ({"filter": {"field": "id", "operator": "in", "value": 1}}, "filter.value", "1"),
    (
        {"filter": {"field": "type", "operator": "in", "value": ["va", 1]}},
        "filter.value.1",
        "1",
    ),
]
REFUSED: list[tuple[dict[str, Any], tuple[int, str], dict[str, Any]]] = [
    (
        {"sort": [{"field": "id"}, {"field": "scenarios"}]},
        (-32602, "Sort by parameter is prohibited"),
        {"mnemonic": "sort_prohibited", "field": "sort.1.field", "value": "scenarios"},
    ),
    *(
        (changes, INVALID, {"mnemonic": "invalid_parameter_value", "field": field, "value": value})
        for changes, field, value in BAD_VALUES
    ),
    *(
        ({"filter": tree}, INVALID, {"mnemonic": "invalid_parameter_value", **fault})
        for tree, fault in BAD_FILTERS
    ),
    *(
        (changes, TYPE, {"mnemonic": "data_type_error", "field": field, "value": value})
        for changes, field, value in BAD_TYPES
    ),
    (
        {"filter": {"operator": "=", "value": 1}},
        (-32602, "The required parameter has been missed"),
        {"mnemonic": "required_parameter_missed", "field": "filter.field"},
    ),
    (
        {"filter": {"field": "id", "operator": "=", "vale": 1}},
        (-32602, "Unexpected method parameter(s)"),
        {"mnemonic": "unexpected_parameters", "field": "filter.vale", "value": "1"},
    ),
]


@pytest.mark.parametrize(("params", "said", "data"), REFUSED, ids=[str(row[0]) for row in REFUSED])
def test_what_cannot_be_asked_is_refused(
    home: House, params: dict[str, Any], said: tuple[int, str], data: dict[str, Any]
) -> None:
    answer = without_metadata(home.data("get.virtual_numbers", params))
    assert answer == refusal(*said, data)


def nested(levels: int) -> dict[str, Any]:
    tree: dict[str, Any] = {"field": "id", "operator": "=", "value": 1}
    for _ in range(levels):
        tree = {"filters": [tree], "condition": "or"}
    return tree


def many(comparisons: int) -> dict[str, Any]:
    return {"filters": [nested(0)] * comparisons, "condition": "and"}


@pytest.mark.parametrize("tree", [nested(20), many(100)], ids=["deep", "wide"])
def test_a_tree_may_be_large(home: House, tree: dict[str, Any]) -> None:
    assert listed(home, fields=["id"], filter=tree) == ([{"id": 1}], 1)


@pytest.mark.parametrize(
    ("tree", "reason"),
    [
        (nested(21), "A filter has at most 20 levels. Yours has 21"),
        # As deep as JSON of ours may be.
        (nested(48), "A filter has at most 20 levels. Yours has 48"),
        (many(101), "A filter has at most 100 comparisons. Yours has 101"),
    ],
)
def test_a_larger_one_is_refused(home: House, tree: dict[str, Any], reason: str) -> None:
    answer = without_metadata(home.data("get.virtual_numbers", {"filter": tree}))
    facts = {"mnemonic": "error", "field": "filter", "params": {"reason": reason}}
    assert answer == refusal(-32602, reason, facts)


@pytest.mark.parametrize("declared", LISTS, ids=[one.name for one in LISTS])
def test_a_list_is_sorted_and_filtered_by_whatever_it_declares(
    home: House, declared: ListDeclaration[Any]
) -> None:
    params: dict[str, object] = {"fields": [*declared.listing.fields]}
    if issubclass(declared.params, ReportRequest):
        params |= {"date_from": "2026-05-01 00:00:00", "date_till": "2026-07-01 00:00:00"}
    if declared is GET_CHAT_MESSAGES_REPORT:
        params |= {"chat_id": 1}
    for name, field in declared.listing.fields.items():
        tree = {"field": name, "operator": "!=", "value": None}
        if field.sortable:
            params["sort"] = [{"field": name, "order": "desc"}]
        if field.filterable:
            params["filter"] = tree
        answer = home.data(declared.name, params)
        assert "result" in answer, (name, answer)


@pytest.mark.parametrize("declared", ALWAYS_EMPTY, ids=[one.name for one in ALWAYS_EMPTY])
def test_what_is_not_here_is_an_empty_list(home: House, declared: ListDeclaration[Any]) -> None:
    """With its metadata, and with parameters checked as of any other list."""
    asked: dict[str, object] = {}
    if issubclass(declared.params, ReportRequest):
        missing = home.data(declared.name, {})["error"]["data"]
        assert missing["mnemonic"] == "required_parameter_missed"
        asked = {"date_from": "2026-05-01", "date_till": "2026-05-31"}
    if declared is GET_CHAT_MESSAGES_REPORT:
        missing = home.data(declared.name, asked)["error"]["data"]
        assert (missing["mnemonic"], missing["field"]) == ("required_parameter_missed", "chat_id")
        asked |= {"chat_ids": [1, 2]}
    answer = home.data(declared.name, {**asked, "user_id": 1, "limit": 10, "offset": 100})
    assert answer["result"]["data"] == []
    assert set(answer["result"]["metadata"]) == {"total_items", "limits"}
    assert answer["result"]["metadata"]["total_items"] == 0

    def refused(**params: object) -> str:
        said: str = home.data(declared.name, {**asked, **params})["error"]["data"]["mnemonic"]
        return said

    fields = declared.listing.fields.values()
    unsorted = next(one.name for one in fields if not one.sortable)
    unfiltered = next(one.name for one in fields if not one.filterable)
    of = {"field": unfiltered, "operator": "=", "value": 1}
    assert refused(sort=[{"field": unsorted}]) == "sort_prohibited"
    assert refused(filter=of) == "filter_prohibited"
    assert refused(fields=["nothing"]) == "invalid_parameter_value"
    assert refused(nothing=1) == "unexpected_parameters"


def test_the_data_api_can_be_switched_off_for_a_user(home: House) -> None:
    home.apply(
        NUMBERS.replace('login = "crm"', 'login = "crm"\ndisabled_components = ["Data API"]')
    )
    try:
        answer = without_metadata(home.data("get.account", {}))
        said = "You need at least one of the following components to access this method: Data API"
        data = {
            "mnemonic": "method_component_disabled",
            "field": None,
            "params": {"components": "Data API"},
        }
        assert answer == refusal(-32008, said, data)
        assert "result" in home.call("list.calls", {})
    finally:
        home.apply(NUMBERS)


def test_it_is_described_for_programs(home: House) -> None:
    document = home.client.get(f"{home.url}/v2.0/openrpc.json").json()
    assert document["servers"][0]["url"] == f"{home.url}/v2.0"
    methods = {method["name"]: method for method in document["methods"]}
    assert {"login.user", "logout.user", "get.account"} <= set(methods)
    metadata = methods["get.account"]["result"]["schema"]["properties"]["metadata"]
    assert "total_items" in metadata["properties"]
