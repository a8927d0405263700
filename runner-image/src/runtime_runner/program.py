"""From a job's files to a result: write them, load the module that has ``main``, call it."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import json
import os
import sys
import tempfile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from runtime_runner import encoding, failures, messenger, modules, signature
from runtime_runner.contract import FailureReason
from runtime_runner.failures import JobError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from runtime_runner.messenger import UserMessenger


def write_files(files: dict[str, str], entrypoint: str) -> Path:
    """Write the program into a folder of its own and make it the working directory; return the folder.

    Raises:
        JobError: the entrypoint is not among the files, or a path leads out of the folder.
    """
    if entrypoint not in files:
        there = ", ".join(sorted(files)) or "none"
        raise _invalid(f"the entrypoint {entrypoint!r} is not among the program's files ({there})")
    folder = Path(tempfile.mkdtemp(prefix="program-")).resolve()
    for name, text in files.items():
        relative = PurePosixPath(name)
        if relative.is_absolute() or ".." in relative.parts or "\0" in name or not relative.parts:
            raise _invalid(f"{name!r} is not a path inside the program's folder")
        if relative.suffix == ".py" and "\0" in text:
            raise _invalid(f"{name} holds a NUL character, which is no Python")
        path = folder / relative
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())
        except UnicodeEncodeError as error:
            raise _invalid(f"{name} holds text that is not valid Unicode: {error.reason}") from None
        except OSError as error:
            raise _invalid(f"{name} cannot be written: {error.strerror}") from None
        failures.remember_source(path, text)
    os.chdir(folder)
    return folder


def decode_inputs(inputs: dict[str, Any]) -> dict[str, Any]:
    """Return the inputs with tagged values in place of their tagged form.

    Raises:
        JobError: an input is not what its tag says; the message names it.
    """
    decoded = {}
    for name, value in inputs.items():
        try:
            decoded[name] = encoding.from_text(json.dumps(value))
        except (ValueError, RecursionError) as error:
            message = failures.cut(f"the input {name!r} cannot be read: {error}", failures.MESSAGE_BYTES)
            raise JobError(FailureReason.INVALID_INPUT, message) from None
    return decoded


def run(folder: Path, entrypoint: str, backend: Any, user_messenger: UserMessenger, inputs: dict[str, Any]) -> str:
    """Execute the program and return its result as JSON text. Nothing the program raises gets past this function.

    Raises:
        JobError: there is no result; says why.
    """
    try:
        main = _find_main(_load(folder, entrypoint), entrypoint)
        _check_call(main, backend, user_messenger, inputs)
        returned = main(backend, user_messenger, **inputs)
    except JobError:
        raise
    except SystemExit as stop:
        raise _exited(stop, folder) from None
    except encoding.EncodingError as error:
        raise failures.program_failed(error, folder, FailureReason.INVALID_RESULT) from None
    except BaseException as error:
        raise modules.failure(error, folder) or failures.program_failed(
            error, folder, hint=modules.hint(error)
        ) from None
    try:
        return messenger.final_text(user_messenger, returned)
    except encoding.EncodingError as error:
        message = failures.cut(f"main() returned: {error}", failures.MESSAGE_BYTES)
        trace = failures.format_traceback(error.__cause__, folder) if error.__cause__ else ""
        raise JobError(FailureReason.INVALID_RESULT, message, trace) from None
    except BaseException as error:  # out of the program's own to_json()
        raise failures.program_failed(error, folder, FailureReason.INVALID_RESULT) from None


def _load(folder: Path, entrypoint: str) -> ModuleType:
    sys.path.insert(0, str(folder))
    sys.argv = [entrypoint]
    importlib.invalidate_caches()
    try:
        return _import(folder / entrypoint, list(PurePosixPath(entrypoint).with_suffix("").parts))
    except SyntaxError as error:
        if not (error.filename or "").startswith(f"{folder}/"):
            raise
        raise _invalid(_describe_syntax(error, folder)) from None


def _import(path: Path, names: list[str]) -> ModuleType:
    """Import by name where possible, so that relative imports work; by path if the name is taken or no name."""
    taken = names[0] in sys.modules or names[0] in sys.stdlib_module_names
    if path.suffix == ".py" and not taken and all(name.isidentifier() for name in names):
        return importlib.import_module(".".join(names))
    name = f"_program_{names[-1]}"
    loader = importlib.machinery.SourceFileLoader(name, str(path))
    spec = importlib.util.spec_from_file_location(name, path, loader=loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    loader.exec_module(module)
    return module


def _find_main(module: ModuleType, entrypoint: str) -> Callable[..., Any]:
    main = getattr(module, "main", None)
    if main is None:
        raise _invalid(f"{entrypoint} has no function main(backend, user_messenger, **kwargs)")
    if not callable(main):
        raise _invalid(f"main in {entrypoint} is no function but of type {type(main).__name__}")
    if inspect.iscoroutinefunction(main):
        raise _invalid(f"main in {entrypoint} must not be async")
    function: Callable[..., Any] = main
    return function


def _check_call(main: Callable[..., Any], backend: Any, user_messenger: UserMessenger, inputs: dict[str, Any]) -> None:
    """Say in the user's words what Python would say about arguments that do not fit."""
    try:
        called = inspect.signature(main)
    except (ValueError, TypeError):
        return  # not known for everything that can be called
    parameters = list(called.parameters.values())
    if not signature.takes_ours(parameters):
        raise _invalid(f"main{called} must take backend and user_messenger as its first two arguments")
    if message := signature.complaints(parameters, inputs):
        raise JobError(FailureReason.INVALID_INPUT, failures.cut(message, failures.MESSAGE_BYTES))


def _describe_syntax(error: SyntaxError, folder: Path) -> str:
    place = f"{failures.shorten_text(error.filename or '', folder)}:{error.lineno}"
    line = (error.text or "").strip()
    text = f"{place}: {type(error).__name__}: {error.msg}" + (f": {line}" if line else "")
    return failures.cut(text, failures.MESSAGE_BYTES)


def _exited(stop: SystemExit, folder: Path) -> JobError:
    code = stop.code if stop.code is not None else 0
    if not isinstance(code, int):
        code = f"{failures.cut(str(code), 200)!r}"
    return JobError(
        FailureReason.PROGRAM_EXITED,
        f"the program called sys.exit({code}); to end, return the result from main() or raise an exception",
        failures.format_traceback(stop, folder),
    )


def _invalid(message: str) -> JobError:
    return JobError(FailureReason.INVALID_PROGRAM, failures.cut(message, failures.MESSAGE_BYTES))
