"""Mutants: the small faults that can be put into a source file.

Left out is what no test of behaviour could or should find: docstrings, log lines, annotations,
decorators and bases, `__repr__`, protocols, `assert`, what is for the type checker alone, prose
(texts with spaces in them, f-strings), what `__init__` assigns, and the value of a number that has
a name or is a default: a test that repeats it proves nothing, and its use is mutated instead.
"""

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass

_COMPARISONS: dict[type[ast.cmpop], tuple[str, tuple[str, ...]]] = {
    ast.Lt: ("<", ("<=", ">=")),
    ast.LtE: ("<=", ("<", ">")),
    ast.Gt: (">", (">=", "<=")),
    ast.GtE: (">=", (">", "<")),
    ast.Eq: ("==", ("!=",)),
    ast.NotEq: ("!=", ("==",)),
    ast.Is: ("is", ("is not",)),
    ast.IsNot: (r"is\s+not", ("is",)),
    ast.In: ("in", ("not in",)),
    ast.NotIn: (r"not\s+in", ("in",)),
}
_SIGNS: dict[type[ast.operator], tuple[str, str]] = {ast.Add: ("+", "-"), ast.Sub: ("-", "+")}
_LOGS = ("log", "_log", "logger")
_SHOWN_ONLY = ("__repr__", "__str__")
_NAMERS = ("NewType", "TypeVar", "ParamSpec", "getLogger", "cast", "Literal")
"Whatever is told by these what it is called, or is of a type, behaves the same."


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of one source file."""

    file: str
    "Below the package: `calls/session.py`."
    function: str
    "Qualified name of the one it is in; empty outside of functions."
    line: int
    kind: str
    begin: int
    end: int
    "Bytes of the source that go."
    text: str
    "What comes in their place."

    def applied(self, source: bytes) -> bytes:
        return source[: self.begin] + self.text.encode() + source[self.end :]

    def is_sound(self, source: bytes) -> bool:
        """Whether the change is Python, and means something else."""
        try:
            changed = ast.parse(self.applied(source))
        except SyntaxError:
            return False
        return ast.dump(changed) != ast.dump(ast.parse(source))


def mutants(source: bytes, file: str) -> list[Mutant]:
    """All that can be made of a file, in the order of their places."""
    finder = _Finder(source, file)
    finder.visit(ast.parse(source))
    return sorted(finder.found, key=lambda one: (one.begin, one.end, one.text))


class _Finder(ast.NodeVisitor):
    def __init__(self, source: bytes, file: str) -> None:
        self.found: list[Mutant] = []
        self._source = source
        self._file = file
        self._starts = [0]
        for line in source.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))
        self._scope: list[str] = []
        self._functions: list[str] = []

    # What is left out.

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        if any(_name(base) == "Protocol" for base in node.bases):
            return
        self._scope.append(node.name)
        self._visit_all(node.body)
        self._scope.pop()

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        if node.name in _SHOWN_ONLY or any(_name(one) == "overload" for one in node.decorator_list):
            return
        for default in (*node.args.defaults, *node.args.kw_defaults):
            if default and not _is_number(default):
                self.visit(default)
        self._scope.append(node.name)
        self._functions.append(".".join(self._scope))
        self._scope.append("<locals>")
        self._visit_all(node.body)
        del self._scope[-2:]
        self._functions.pop()

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self.visit_FunctionDef(node)

    def visit_Assert(self, node: ast.Assert) -> None:
        pass

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        pass

    def visit_match_case(self, node: ast.match_case) -> None:
        self._visit_all([*([node.guard] if node.guard else []), *node.body])

    def visit_Subscript(self, node: ast.Subscript) -> None:
        if _name(node.value) not in _NAMERS:
            self.generic_visit(node)

    # Statements.

    def visit_Expr(self, node: ast.Expr) -> None:
        called = node.value.value if isinstance(node.value, ast.Await) else node.value
        if not isinstance(called, ast.Call) or _is_log(called):
            if not isinstance(called, ast.Constant | ast.Call):
                self.generic_visit(node)
            return
        self._replace(node, "statement removed", "pass")
        self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> None:
        target = node.targets[0]
        if isinstance(target, ast.Name) and target.id.startswith("__"):
            return
        if isinstance(target, ast.Attribute | ast.Subscript) and not self._in_init:
            self._replace(node, "statement removed", "pass")
        if self._functions or not _is_setting(target, node.value):
            self._visit_all([*node.targets, node.value])

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value and (self._functions or not _is_number(node.value)):
            self.visit(node.value)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self._replace(node, "statement removed", "pass")
        if signs := _SIGNS.get(type(node.op)):
            self._between(node.target, node.value, "sign changed", re.escape(signs[0]), signs[1])
        self.generic_visit(node)

    def visit_Delete(self, node: ast.Delete) -> None:
        self._replace(node, "statement removed", "pass")

    def visit_Return(self, node: ast.Return) -> None:
        if node.value is None:
            self._replace(node, "return removed", "pass")
        elif not isinstance(node.value, ast.Constant):
            self._replace(node, "return value removed", "return None")
        self.generic_visit(node)

    def visit_Raise(self, node: ast.Raise) -> None:
        self._replace(node, "raise removed", "pass")
        self.generic_visit(node)

    def visit_Break(self, node: ast.Break) -> None:
        self._replace(node, "break swapped", "continue")

    def visit_Continue(self, node: ast.Continue) -> None:
        self._replace(node, "continue swapped", "break")

    def visit_If(self, node: ast.If) -> None:
        if _name(node.test) == "TYPE_CHECKING":
            self._visit_all(node.orelse)
            return
        self._condition(node.test)
        self.generic_visit(node)

    def visit_While(self, node: ast.While) -> None:
        self._condition(node.test)
        self.generic_visit(node)

    # Expressions.

    def visit_IfExp(self, node: ast.IfExp) -> None:
        self._condition(node.test)
        self.generic_visit(node)

    def visit_comprehension(self, node: ast.comprehension) -> None:
        for test in node.ifs:
            self._condition(test)
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        if _name(node.func) not in _NAMERS:
            self.generic_visit(node)

    def visit_Compare(self, node: ast.Compare) -> None:
        values = (node.left, *node.comparators)
        for left, operator, right in zip(values, node.ops, values[1:], strict=False):
            old, others = _COMPARISONS[type(operator)]
            for new in others:
                self._between(left, right, "comparison swapped", old, new)
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        old, new = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
        for left, right in zip(node.values, node.values[1:], strict=False):
            self._between(left, right, "and/or swapped", rf"\b{old}\b", new)
        self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        if isinstance(node.op, ast.Not):
            self._replace(node, "not dropped", f"({self._text(node.operand)})")
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        texts = (ast.JoinedStr, ast.List, ast.Tuple, ast.ListComp)
        signs = _SIGNS.get(type(node.op))
        if signs and not any(
            isinstance(side, texts) or (isinstance(side, ast.Constant) and _is_text(side.value))
            for side in (node.left, node.right)
        ):
            self._between(node.left, node.right, "sign changed", re.escape(signs[0]), signs[1])
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        match node.value:
            case bool():
                self._replace(node, "constant changed", repr(not node.value))
            case int():
                self._replace(node, "constant changed", repr(node.value + 1))
            case float():
                self._replace(node, "constant changed", repr(node.value * 2 or 1.0))
            case str() if not re.search(r"\s", node.value):
                self._replace(node, "constant changed", repr(node.value + "x"))
            case bytes() if not re.search(rb"\s", node.value):
                self._replace(node, "constant changed", repr(node.value + b"x"))

    @property
    def _in_init(self) -> bool:
        return bool(self._functions) and self._functions[-1].endswith("__init__")

    def _visit_all(self, nodes: Sequence[ast.AST]) -> None:
        for node in nodes:
            self.visit(node)

    def _condition(self, test: ast.expr) -> None:
        """Turn what is no comparison: those have mutants of their own."""
        if not isinstance(test, ast.Compare | ast.BoolOp | ast.UnaryOp | ast.Constant):
            self._replace(test, "condition turned", f"(not ({self._text(test)}))")

    def _between(self, left: ast.AST, right: ast.AST, kind: str, old: str, new: str) -> None:
        """Replace an operator, which has no place of its own in the tree."""
        begin, end = self._span(left)[1], self._span(right)[0]
        if found := re.search(old.encode(), self._source[begin:end]):
            self._add(left, kind, begin + found.start(), begin + found.end(), new)

    def _replace(self, node: ast.AST, kind: str, text: str) -> None:
        self._add(node, kind, *self._span(node), text)

    def _add(self, node: ast.AST, kind: str, begin: int, end: int, text: str) -> None:
        function = self._functions[-1] if self._functions else ""
        line = self._source.count(b"\n", 0, begin) + 1
        self.found.append(Mutant(self._file, function, line, kind, begin, end, text))

    def _text(self, node: ast.AST) -> str:
        begin, end = self._span(node)
        return self._source[begin:end].decode()

    def _span(self, node: ast.AST) -> tuple[int, int]:
        assert isinstance(node, ast.expr | ast.stmt)
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return (
            self._starts[node.lineno - 1] + node.col_offset,
            self._starts[node.end_lineno - 1] + node.end_col_offset,
        )


def _name(node: ast.AST) -> str:
    """The last name in something like `a.b[c](d)`, or nothing."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Subscript(value=inner) | ast.Call(func=inner):
            return _name(inner)
    return ""


def _is_log(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Attribute) and _name(call.func.value) in _LOGS


def _is_text(value: object) -> bool:
    return isinstance(value, str | bytes)


def _is_number(node: ast.expr) -> bool:
    """Whether it is made of numbers alone: `50_000`, `1 << 16`, `timedelta(hours=1)`."""
    match node:
        case ast.Constant(value=value):
            return isinstance(value, int | float) and not isinstance(value, bool)
        case ast.UnaryOp(operand=inner):
            return _is_number(inner)
        case ast.BinOp(left=left, right=right):
            return all(_is_number(side) or isinstance(side, ast.Name) for side in (left, right))
        case ast.Call(args=args, keywords=keywords) if _name(node) == "timedelta":
            return all(map(_is_number, [*args, *(one.value for one in keywords)]))
    return False


def _is_setting(target: ast.expr, value: ast.expr) -> bool:
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        return all(map(_is_number, value.elts))
    return _is_number(value)
