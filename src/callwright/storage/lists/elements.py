"""Elements of arrays that stand in a column as JSON, as rows: each database says it its own way."""

from typing import Any

from sqlalchemy import ColumnElement, Text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class _Texts(FunctionElement[str]):
    """A row for each text in a JSON array, as its ``value``."""

    name = "json_texts"
    type = Text()
    inherit_cache = True


@compiles(_Texts, "sqlite")
def _json_each(texts: _Texts, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_each{compiler.process(texts.clause_expr, **options)}"


@compiles(_Texts, "postgresql")
def _json_array_elements_text(texts: _Texts, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_array_elements_text{compiler.process(texts.clause_expr, **options)}"


def texts_of(column: ColumnElement[Any]) -> ColumnElement[str]:
    """Each text of an array; whoever selects it has a row for each, beside the column's own."""
    found: ColumnElement[str] = _Texts(column).table_valued("value", joins_implicitly=True).c.value
    return found
