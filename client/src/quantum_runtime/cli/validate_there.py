"""What the cluster would say about jobs."""

from __future__ import annotations

import functools
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import yaml

from quantum_runtime import inputs
from quantum_runtime.cli import arguments, errors, exits, session
from quantum_runtime.manifest import API_VERSION

if TYPE_CHECKING:
    from quantum_runtime.service.service import RuntimeService
    from quantum_runtime.service.view import JobView

JOB = "RuntimeJob"
STDIN = Path("-")


def validate(program: str, values: dict[str, Any], **options: Any) -> None:
    """Print the cluster's answer to a job of a program; what it would refuse is an error."""
    try:
        service = session.service()
        service.check(program, values, **options)
    except Exception as error:
        raise errors.in_words(error, hint=arguments.hint_of_path(program), by_reason=True) from None
    click.echo(f"{program}: the cluster would run it (namespace {service.namespace})")


def validate_file(path: Path) -> None:
    """Print the cluster's answer to each RuntimeJob in a file, and exit by the first that it would refuse."""
    jobs = read_jobs(path)
    places = [place(path, number, jobs) for number in range(1, len(jobs) + 1)]
    chosen = session.settings().get("namespace", "")
    for where, job in zip(places, jobs, strict=True):
        if chosen and _namespace(job) not in ("", chosen):
            said = f"metadata.namespace is {_namespace(job)!r}, --namespace says {chosen!r}"
            raise click.UsageError(f"{where}: {said}")
    service_of, code = functools.cache(_service), 0
    for where, job in zip(places, jobs, strict=True):
        try:
            service = service_of(_namespace(job))
            view = service.check_manifest(job)
            click.echo(f"{JOB} {view.name!r}: {_verdict(view)} (namespace {service.namespace})")
        except Exception as error:
            told = errors.in_words(error, where=f"{where}: " if len(jobs) > 1 else "", by_reason=True)
            if not isinstance(told, errors.CommandError) or told.exit_code == exits.NO_CLUSTER:
                raise told from None
            told.show()
            code = code or told.exit_code
    sys.exit(code)


def read_jobs(path: Path) -> list[dict[str, Any]]:
    """Return the RuntimeJobs in a YAML or JSON file.

    Raises:
        InputError: there are none, or something else among them.
    """
    try:
        text = sys.stdin.read() if path == STDIN else path.read_text()
        found = [body for body in yaml.load_all(text, Loader=inputs.Loader) if body is not None]
    except OSError as error:
        raise inputs.InputError(f"{path} cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise inputs.InputError(f"{_shown(path)} is not YAML: {error}") from None
    if not found:
        raise inputs.InputError(f"{_shown(path)} is empty, expected a {JOB}")
    for number, body in enumerate(found, start=1):
        what = _kind(body)
        if what != f"{API_VERSION} {JOB}":
            expected = f"expected {API_VERSION} {JOB}, got {what}"
            raise inputs.InputError(f"{place(path, number, found)}: {expected}")
        if not isinstance(body.get("metadata"), dict):
            raise inputs.InputError(f"{place(path, number, found)}: it has no metadata")
    return found


def _service(namespace: str) -> RuntimeService:
    return session.service(**({"namespace": namespace} if namespace else {}))


def _namespace(job: dict[str, Any]) -> str:
    return str(job["metadata"].get("namespace") or "")


def place(path: Path, number: int, documents: list[Any]) -> str:
    """Return how messages call one of a file's documents."""
    return _shown(path) if len(documents) == 1 else f"{_shown(path)}, document {number}"


def _shown(path: Path) -> str:
    return "stdin" if path == STDIN else str(path)


def _kind(body: Any) -> str:
    if not isinstance(body, dict):
        return f"a {type(body).__name__}"
    return f"{body.get('apiVersion', 'no apiVersion')} {body.get('kind', 'and no kind')}"


def _verdict(view: JobView) -> str:
    if view.cancel_requested:
        return "the cluster would take it, and not run it: spec.cancel is true"
    if view.suspended:
        return "the cluster would run it, but not before spec.suspend is false"
    return "the cluster would run it"
