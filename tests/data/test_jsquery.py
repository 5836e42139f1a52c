"""jsquery: what is found in arrays and objects, and what is no query."""

import pytest

from callwright.methods.data import jsquery

TAGS = [
    {"tag_id": 5, "tag_name": "Лид", "tag_type": "manual"},
    {"tag_id": 7, "tag_name": 'in "quotes"', "tag_type": "auto"},
]
EXTENSION = {"extension_phone_number": "2901", "extension_queue_enabled": False}


@pytest.mark.parametrize(
    ("query", "value", "holds"),
    [
        ("#.tag_id = 5", TAGS, True),
        ("tag_id = 5", TAGS, True),
        ("*.tag_id = 7", TAGS, True),
        ("#.%=5", TAGS, True),
        ("#.tag_id = 6", TAGS, False),
        ("#.tag_id IN (6, 7)", TAGS, True),
        ("#.tag_id in (6,8)", TAGS, False),
        ("#.tag_id > 6", TAGS, True),
        ("#.tag_id > 7", TAGS, False),
        ("#.tag_id >= 7 AND #.tag_id <= 5", TAGS, True),
        ('#.tag_name = "Лид"', TAGS, True),
        ("#.tag_name = Лид", TAGS, True),
        (r'#.tag_name = "in \"quotes\""', TAGS, True),
        ('#.tag_id = 5 & #.tag_type = "auto"', TAGS, True),
        ('#(tag_id = 5 & tag_type = "auto")', TAGS, False),
        ('#.(tag_id = 7 and tag_type = "auto")', TAGS, True),
        ("#.tag_id = 6 | #.tag_id = 5", TAGS, True),
        ("not #.tag_id = 6", TAGS, True),
        ("! (#.tag_id = 5)", TAGS, False),
        ("# = *", TAGS, True),
        ("# = *", [], False),
        ("#.tag_id = 5", [], False),
        ('extension_phone_number = "2901"', EXTENSION, True),
        ("extension_phone_number = 2901", EXTENSION, True),
        ("extension_queue_enabled = false", EXTENSION, True),
        ("extension_queue_enabled = 0", EXTENSION, False),
        ("extension_phone_number = *", {}, False),
        ('# = "in"', ["in", "out"], True),
        ('$ = "in"', "in", True),
        ("#.tag_id = null", [{"tag_id": None}], True),
        ("#.tag_id < 5", [{"tag_id": None}, {"tag_id": "1"}], False),
    ],
)
def test_what_a_query_finds(query: str, value: object, holds: bool) -> None:
    assert jsquery.read(query)(value) is holds


@pytest.mark.parametrize(
    "query",
    [
        "",
        "tag_id",
        "= 5",
        "#.",
        "a = ",
        "a = 5 &",
        "a = 5 b",
        "(a = 5",
        "a ~ 5",
        'a = "x',
        "a in ()",
    ],
)
def test_what_is_no_query(query: str) -> None:
    with pytest.raises(jsquery.NoQuery):
        jsquery.read(query)


def test_a_query_may_not_be_endlessly_deep() -> None:
    assert jsquery.read("(" * 30 + "a = 1" + ")" * 30)({"a": 1})
    with pytest.raises(jsquery.NoQuery, match="deep"):
        jsquery.read("(" * 500 + "a = 1" + ")" * 500)
