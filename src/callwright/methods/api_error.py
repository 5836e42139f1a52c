"""An error of the API: its code, its mnemonic, its message, and what of a request is to blame."""

import json
import re
from collections.abc import Mapping
from enum import Enum
from string import Formatter
from typing import ClassVar, Final


class Sent(Enum):
    """Whether a parameter was sent at all; JSON's ``null`` is a value that was."""

    NOTHING = "nothing"


NOTHING: Final = Sent.NOTHING

KNOWN: dict[str, type["ApiError"]] = {}
"Every error that has been stated, by its mnemonic; `callwright.methods.errors` states them."


class ApiError(Exception):
    """What a method raises to refuse a request.

    A subclass states ``code`` (and ``mnemonic``, where it is not the class name in snake case) and
    the ``message`` template. It is raised with the template's parameters as keywords, and with the
    dotted ``field`` and the ``value`` sent where one parameter is to blame. Raises TypeError for
    keywords that do not fit the template.
    """

    mnemonic: ClassVar[str]
    code: ClassVar[int]
    code_in: ClassVar[Mapping[str, int]]
    "Methods that have another code for this error, by name."
    message: ClassVar[str]
    placeholders: ClassVar[frozenset[str]]
    variants: ClassVar[dict[str, type["ApiError"]]]
    """Methods in which this mnemonic has another message, by name, and the class for it: one that
    states ``variant_in`` and comes after the class with the mnemonic."""

    def __init_subclass__(
        cls,
        *,
        code: int,
        mnemonic: str | None = None,
        code_in: Mapping[str, int] | None = None,
        variant_in: str | tuple[str, ...] | None = None,
    ) -> None:
        cls.mnemonic = mnemonic or re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()
        cls.code = code
        cls.code_in = code_in or {}
        cls.placeholders = frozenset(
            name for _, name, _, _ in Formatter().parse(cls.message) if name
        )
        cls.variants = {}
        if variant_in is not None:
            if cls.mnemonic not in KNOWN:
                raise TypeError(f"{cls.mnemonic} is nobody's mnemonic, of which this is a variant")
            methods = (variant_in,) if isinstance(variant_in, str) else variant_in
            KNOWN[cls.mnemonic].variants.update(dict.fromkeys(methods, cls))
            return
        if cls.mnemonic in KNOWN:
            raise TypeError(f"{cls.mnemonic} is the mnemonic of {KNOWN[cls.mnemonic].__name__}")
        KNOWN[cls.mnemonic] = cls

    @classmethod
    def of_method(cls, method: str) -> type["ApiError"]:
        """The class by which a method says this mnemonic."""
        return cls.variants.get(method, cls)

    def __init__(
        self,
        *,
        field: str | None = None,
        value: object = NOTHING,
        helper: str | None = None,
        **params: str | int,
    ) -> None:
        if params.keys() != self.placeholders:
            wanted = ", ".join(sorted(self.placeholders)) or "no parameters"
            raise TypeError(f"{type(self).__name__} takes {wanted}, not {', '.join(params)}")
        super().__init__(self.message.format(**params))
        self.field = field
        self.value = None if value is NOTHING else as_text(value)
        "What the client sent for ``field``, as a string; None: nothing was sent."
        self.helper = helper
        "What is wrong with it, for people; clients get it as ``extended_helper``."
        self.params = params


def as_text(value: object) -> str:
    """Show a JSON value as a string: a string as it is, anything else as JSON."""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)
