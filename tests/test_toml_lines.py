import tomllib
from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from callwright.toml_lines import Place, TomlLines

TEXT = '''\
# [not.a.table]
[account]
name = "Horns # [and] = Hooves"
"active" = true # key = value

[[users]]
login = "ivan"
networks = [
  "127.0.0.0/8", # [[employees]]
  "::1/128",
]

[[employees]]
id = 25
full_name = """
[[employees]]
id = 7
"""
  [[employees.phones]]
  number = '1'
  [[employees.phones]]
  number = '2'
[[employees]]
id = 26
[[employees.phones]]
number = '3'
contact.uri = "x"
inline = { a = 1, b = [2, "}"] }
last = \'\'\'
'''  # fmt: skip
TEXT += "it's [quoted]\n''' \nend = 1\n"


def test_places_are_found() -> None:
    lines = TomlLines(TEXT)
    assert lines.of(("account",)) == 2
    assert lines.of(("account", "name")) == 3
    assert lines.of(("account", "active")) == 4
    assert lines.of(("users", 0)) == 6
    assert lines.of(("users", 0, "networks")) == 8
    assert lines.of(("employees", 0, "id")) == 14
    assert lines.of(("employees", 0, "phones", 0, "number")) == 20
    assert lines.of(("employees", 0, "phones", 1)) == 21
    assert lines.of(("employees", 1)) == 23
    assert lines.of(("employees", 1, "phones", 0, "number")) == 26
    assert lines.of(("employees", 1, "phones", 0, "contact", "uri")) == 27
    assert lines.of(("employees", 1, "phones", 0, "end")) == 32


def test_what_has_no_line_has_that_of_what_it_is_in() -> None:
    lines = TomlLines(TEXT)
    assert lines.of(("users", 0, "networks", 1)) == 8
    assert lines.of(("employees", 1, "full_name")) == 23
    assert lines.of(("trunks", 0, "name")) == 1
    assert lines.of(("employees", 1, "phones", 0, "inline", "a")) == 28


def _places(value: object, path: Place = ()) -> Iterator[Place]:
    """Every key of a TOML document but those of inline tables, which ours have none of."""
    match value:
        case dict():
            for key, inner in value.items():
                yield (*path, key)
                yield from _places(inner, (*path, key))
        case list() if value and isinstance(value[0], dict):
            for index, inner in enumerate(value):
                yield (*path, index)
                yield from _places(inner, (*path, index))


def test_every_key_of_the_example_is_found() -> None:
    lines = TomlLines(TEXT)
    found = {place: lines.of(place) for place in _places(tomllib.loads(TEXT))}
    assert found[("employees", 1, "phones", 0, "last")] == 29
    # Line 1 is what is told of something that was not found.
    assert 1 not in found.values()


@given(st.text(st.sampled_from("[]{}=\"'#\\\n ab.1,")))
def test_nonsense_ends(text: str) -> None:
    assert 1 <= TomlLines(text).of(("a",)) <= text.count("\n") + 1
