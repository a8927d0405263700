"""What can be seen in a program's source without executing it: that it compiles, its ``main``, what it imports.

The sentences are those with which a runner refuses the same program.
"""

from __future__ import annotations

import ast
import inspect
import warnings
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from runtime_runner import signature

from quantum_runtime import findings
from quantum_runtime.findings import INVALID_PROGRAM, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, kw_only=True)
class Main:
    """The signature of a program's ``main``, as far as its source tells."""

    parameters: tuple[inspect.Parameter, ...]
    line: int

    def __str__(self) -> str:
        return f"main{inspect.Signature(self.parameters)}"

    @property
    def takes_anything(self) -> bool:
        """Whether it has ``**kwargs``."""
        return signature.takes_anything(self.parameters)

    @property
    def inputs(self) -> list[inspect.Parameter]:
        """What it takes by name."""
        return signature.inputs(self.parameters)

    def complaints(self, inputs: Mapping[str, object]) -> str:
        """Return what a runner would say about a job with these inputs; empty if it would call main with them."""
        return signature.complaints(self.parameters, inputs)


def parse(file: str, text: str) -> tuple[ast.Module | None, list[Finding]]:
    """Return the syntax tree of a Python file, None if it does not compile, and what is wrong with it."""
    if "\0" in text:
        return None, [findings.error(file, f"{file} holds a NUL character, which is no Python", reason=INVALID_PROGRAM)]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the program's style
            tree = ast.parse(text, file)
            compile(text, file, "exec", dont_inherit=True)  # finds more: `return` outside a function, for one
    except SyntaxError as error:
        there = text.splitlines()[(error.lineno or 0) - 1 : error.lineno]
        line = (error.text or "".join(there)).strip()
        message = f"{type(error).__name__}: {error.msg}" + (f": {line}" if line else "")
        return None, [findings.error(file, message, field=f"line {error.lineno}", reason=INVALID_PROGRAM)]
    except (RecursionError, MemoryError, ValueError, OverflowError) as error:
        message = f"Python cannot compile it: {type(error).__name__}: {error}"
        return None, [findings.error(file, message, reason=INVALID_PROGRAM)]
    return tree, []


def find_main(file: str, tree: ast.Module) -> tuple[Main | None, list[Finding]]:
    """Return the program's main, None if its signature cannot be told, and what is wrong with it."""
    defined = [node for node in _top_level(tree.body) if _binds_main(node)]
    if not defined:
        if any(isinstance(node, ast.ImportFrom) and node.names[0].name == "*" for node in _top_level(tree.body)):
            unsure = "whether main() is among the names imported with * shows only when it runs"
            return None, [findings.warning(file, unsure)]
        missing = f"{file} has no function main(backend, user_messenger, **kwargs)"
        return None, [findings.error(file, missing, reason=INVALID_PROGRAM)]
    node = defined[-1]
    if isinstance(node, ast.AsyncFunctionDef):
        place = f"line {node.lineno}"
        return None, [findings.error(file, f"main in {file} must not be async", field=place, reason=INVALID_PROGRAM)]
    if not isinstance(node, ast.FunctionDef) or node.decorator_list:
        return None, []
    main = Main(parameters=tuple(_parameters(node.args)), line=node.lineno)
    if not signature.takes_ours(main.parameters):
        wrong = f"{main} must take backend and user_messenger as its first two arguments"
        return None, [findings.error(file, wrong, field=f"line {node.lineno}", reason=INVALID_PROGRAM)]
    return main, []


class Import(NamedTuple):
    """One imported name, and where."""

    file: str
    line: int
    name: str
    """With its module: ``qiskit.circuit.library`` for ``from qiskit.circuit import library``."""

    @property
    def module(self) -> str:
        """The top-level module."""
        return self.name.partition(".")[0]


def imports(trees: Mapping[str, ast.Module]) -> Iterator[Import]:
    """Yield every import that is made when a file is loaded or its code runs.

    Imports of the program's own files, relative ones, and those a program is prepared to do without
    (``try: import x / except ImportError``) are left out.
    """
    own = {PurePosixPath(file).parts[0].removesuffix(".py") for file in trees}
    for file, tree in trees.items():
        for node in _required(tree):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                names = [f"{node.module}.{alias.name}" for alias in node.names]
            found = [Import(file, getattr(node, "lineno", 0), name) for name in names]
            yield from (one for one in found if one.module not in own)


def _required(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Try) and any(_catches_import_errors(handler) for handler in child.handlers):
            rest: list[ast.stmt] = [*child.orelse, *child.finalbody]
            yield from (below for statement in rest for below in (statement, *_required(statement)))
            continue
        yield child
        yield from _required(child)


def _catches_import_errors(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    caught = {node.id for node in ast.walk(handler.type) if isinstance(node, ast.Name)}
    return bool(caught & {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"})


def _top_level(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements of a module that bind names in it, those in branches included."""
    for node in body:
        yield node
        for part in ("body", "orelse", "finalbody"):
            if not isinstance(node, ast.ClassDef | FunctionNode):
                yield from _top_level(getattr(node, part, []))
        for handler in getattr(node, "handlers", []):
            yield from _top_level(handler.body)


def _binds_main(node: ast.stmt) -> bool:
    match node:
        case ast.FunctionDef(name="main") | ast.AsyncFunctionDef(name="main") | ast.ClassDef(name="main"):
            return True
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            return any((alias.asname or alias.name) == "main" for alias in names)
        case ast.Assign(targets=targets):
            return any(isinstance(name, ast.Name) and name.id == "main" for t in targets for name in ast.walk(t))
        case ast.AnnAssign(target=ast.Name(id="main"), value=value):
            return value is not None
    return False


class _Written:
    """A default as it stands in the source."""

    def __init__(self, node: ast.expr) -> None:
        self._text = ast.unparse(node)

    def __repr__(self) -> str:
        return self._text


def _parameters(args: ast.arguments) -> Iterator[inspect.Parameter]:
    kinds = inspect.Parameter
    positional = [*args.posonlyargs, *args.args]
    without = len(positional) - len(args.defaults)
    for index, argument in enumerate(positional):
        kind = kinds.POSITIONAL_ONLY if index < len(args.posonlyargs) else kinds.POSITIONAL_OR_KEYWORD
        default = _Written(args.defaults[index - without]) if index >= without else kinds.empty
        yield kinds(argument.arg, kind, default=default)
    if args.vararg:
        yield kinds(args.vararg.arg, kinds.VAR_POSITIONAL)
    for argument, value in zip(args.kwonlyargs, args.kw_defaults, strict=True):
        yield kinds(argument.arg, kinds.KEYWORD_ONLY, default=kinds.empty if value is None else _Written(value))
    if args.kwarg:
        yield kinds(args.kwarg.arg, kinds.VAR_KEYWORD)
