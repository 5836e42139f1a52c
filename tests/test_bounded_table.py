from callwright.bounded_table import BoundedTable


def test_the_key_set_longest_ago_goes_for_a_new_one() -> None:
    table: BoundedTable[str, int] = BoundedTable(2)
    for key in "aba":
        table.set(key, ord(key))
    assert len(table) == 2
    table.set("c", 7)
    assert [table.get(key) for key in "abc"] == [ord("a"), None, 7]
    assert len(table) == 2


def test_a_value_lasts_so_long_since_it_was_set() -> None:
    table: BoundedTable[str, str] = BoundedTable(2, lasts=10.0)
    table.set("a", "old", 100.0)
    assert table.get("a", 110.0) == "old"
    assert table.get("a", 110.5) is None
    table.set("a", "new", 110.5)
    assert table.get("a", 120.5) == "new"


def test_what_is_forgotten_is_as_if_it_had_never_been() -> None:
    table: BoundedTable[str, int] = BoundedTable(2)
    table.set("a", 1)
    table.forget("a")
    table.forget("never there")
    assert table.get("a") is None
    assert len(table) == 0
