"""Entries: what every table of the directory file is, and the types of what stands in it."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from callwright.numbering import fault_of


def _e164(number: str) -> str:
    if number.startswith("+"):
        raise ValueError("write the number without the +")
    if fault := fault_of(number):
        raise ValueError(fault)
    return number


def printable(text: str) -> str:
    """Take a text all of which can be shown. Raises ValueError."""
    if not text.isprintable():
        raise ValueError("it holds a character that cannot be shown")
    return text


Text = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(printable)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}$")]
E164 = Annotated[str, AfterValidator(_e164)]
Id = Annotated[int, Field(ge=1, lt=1 << 53)]


class FileEntry(BaseModel):
    """A table of the file: strict, closed, and silent about what was written where it is wrong."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        defer_build=True,  # on first use, or by `callwright.app` before it serves
        frozen=True,
        use_attribute_docstrings=True,
        hide_input_in_errors=True,
    )
