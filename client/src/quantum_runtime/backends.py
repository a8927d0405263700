"""Which backend a local run gets: one that every cluster knows by name, or one described in a RuntimeBackend file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml
from runtime_runner import backend_names

from quantum_runtime.inputs import Loader

if TYPE_CHECKING:
    from pathlib import Path

DEFAULT = "aer"
"""The operator's ``defaultBackend``, unless the platform team has changed it."""

FILE_BYTES = 1024 * 1024


class BackendError(ValueError):
    """There is no such backend, or its file cannot be used."""


@dataclass(frozen=True, kw_only=True)
class Backend:
    """A backend as a job names it, and the RuntimeBackend's spec that the runner builds it from."""

    name: str
    spec: dict[str, Any]


def by_name(name: str) -> Backend:
    """Return the backend of a well-known name.

    Raises:
        BackendError: there is none.
    """
    spec = backend_names.resolve(name)
    if spec is None:
        raise BackendError(f"there is no RuntimeBackend {name!r}{backend_names.hint(name)}")
    return Backend(name=name, spec=spec)


def from_file(path: Path, name: str | None = None) -> Backend:
    """Return the RuntimeBackend in a YAML file, or the one of this name if the file has several.

    Raises:
        BackendError: the file cannot be read, or does not hold the backend.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(FILE_BYTES + 1)
        if len(raw) > FILE_BYTES:
            raise BackendError(f"{path} is larger than the limit of {FILE_BYTES} bytes")
        documents = list(yaml.load_all(raw.decode(), Loader=Loader))
    except OSError as error:
        raise BackendError(f"{path} cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise BackendError(f"{path} is not YAML: {error}") from None
    found = {
        str(body["metadata"]["name"]): body.get("spec")
        for body in documents
        if isinstance(body, dict)
        and body.get("kind") == "RuntimeBackend"
        and isinstance(body.get("metadata"), dict)
        and "name" in body["metadata"]
    }
    if name is None and len(found) != 1:
        names = f"several: {', '.join(found)}; choose one with --backend" if found else "none"
        raise BackendError(f"expected one RuntimeBackend in {path}, there are {names}")
    chosen = name if name is not None else next(iter(found))
    spec = found.get(chosen)
    if not isinstance(spec, dict):
        problem = "has no spec" if chosen in found else "is not in it"
        raise BackendError(f"{path}: RuntimeBackend {chosen!r} {problem}")
    return Backend(name=chosen, spec=spec)
