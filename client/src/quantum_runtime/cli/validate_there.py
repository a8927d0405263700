"""What the cluster would say about a job."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click
import yaml

from quantum_runtime import inputs
from quantum_runtime.cli import arguments, errors, exits, session

if TYPE_CHECKING:
    from pathlib import Path

    from quantum_runtime.service.service import RuntimeService

_CHECKED = {
    "backend": "backend",
    "maxExecutionTimeSeconds": "max_execution_time",
    "startDeadlineSeconds": "start_deadline",
    "logLevel": "log_level",
    "tags": "job_tags",
}
"""Field of a RuntimeJob's spec -> what `RuntimeService.check` calls it."""

_UNCHECKED = ("suspend", "cancel", "ttl")
"""Fields that say nothing about whether the job can run."""


def validate(program: str, values: dict[str, Any], **options: Any) -> None:
    """Print the cluster's answer to a job of a program; what it would refuse is an error."""
    try:
        service = session.service()
        service.check(program, values, **options)
    except Exception as error:
        raise errors.in_words(error, hint=arguments.hint_of_path(program)) from None
    _accepted(service, program)


def validate_file(path: Path) -> None:
    """Print the cluster's answer to a RuntimeJob in a file; what it would refuse is an error."""
    body = read_job(path)
    spec, metadata = body["spec"], body.get("metadata", {})
    namespace = metadata.get("namespace")
    service = session.service(**({"namespace": namespace} if namespace else {}))
    if namespace and service.namespace != namespace:
        message = f"{path}: metadata.namespace is {namespace!r}, and the namespace that was given {service.namespace!r}"
        raise click.UsageError(message)
    reference = spec["programRef"]
    kind = reference.get("kind", "RuntimeProgram")
    there = service.program(reference["name"])
    if there.kind != kind:
        message = f"there is no {kind} {reference['name']!r}, but a {there.kind}: see spec.programRef.kind"
        raise errors.CommandError(message, exits.NOT_FOUND)
    for field in _UNCHECKED:
        if field in spec:
            click.secho(f"warning: spec.{field} is not looked at", err=True, fg="yellow")
    options = {name: spec[field] for field, name in _CHECKED.items() if field in spec}
    service.check(reference["name"], spec.get("inputs"), name=metadata.get("name"), **options)
    _accepted(service, reference["name"])


def read_job(path: Path) -> dict[str, Any]:
    """Return the RuntimeJob in a YAML or JSON file; ``-`` is stdin.

    Raises:
        InputError: there is none.
    """
    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text()
        found = [body for body in yaml.load_all(text, Loader=inputs.Loader) if body is not None]
    except OSError as error:
        raise inputs.InputError(f"{path} cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise inputs.InputError(f"{path} is not YAML: {error}") from None
    if len(found) != 1 or not isinstance(found[0], dict) or found[0].get("kind") != "RuntimeJob":
        raise inputs.InputError(f"{path}: expected one RuntimeJob")
    body: dict[str, Any] = found[0]
    spec = body.get("spec")
    if not isinstance(spec, dict) or not isinstance(spec.get("programRef"), dict) or not spec["programRef"].get("name"):
        raise inputs.InputError(f"{path}: spec.programRef.name is missing: the program to run")
    if unknown := [field for field in spec if field not in ("programRef", "inputs", *_CHECKED, *_UNCHECKED)]:
        raise inputs.InputError(f"{path}: there is no field spec.{unknown[0]}")
    return body


def _accepted(service: RuntimeService, program: str) -> None:
    click.echo(f"{program}: the cluster would run it (namespace {service.namespace})")
