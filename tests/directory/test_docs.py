"""docs/directory-file.md says every setting there is, and none there is not."""

import re
import types
from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel

from callwright.directory.entries import DirectoryContent, EmployeeEntry

TEXT = (Path(__file__).parents[2] / "docs" / "directory-file.md").read_text("utf-8")


def entry_of(annotation: object) -> type[BaseModel]:
    """The model in ``Entry`` or ``list[Entry]``."""
    found = get_args(annotation)[0] if isinstance(annotation, types.GenericAlias) else annotation
    assert isinstance(found, type)
    assert issubclass(found, BaseModel)
    return found


@pytest.mark.parametrize("section", DirectoryContent.model_fields)
def test_every_setting_of_a_section_is_described(section: str) -> None:
    [chapter] = re.findall(rf"^## \[+{section}\]+.*?\n(.*?)(?=^## |\Z)", TEXT, re.DOTALL | re.M)
    described = re.findall(r"^\| `(\w+)` \|", chapter, re.M)
    entry = entry_of(DirectoryContent.model_fields[section].annotation)
    expected = [field.alias or name for name, field in entry.model_fields.items()]
    if entry is EmployeeEntry:
        expected += entry_of(EmployeeEntry.model_fields["phones"].annotation).model_fields
    assert sorted(described) == sorted(expected)
