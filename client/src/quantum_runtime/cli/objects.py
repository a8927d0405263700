"""Kubernetes objects as ``-o json``, ``-o yaml`` and ``-o name`` print them: what kubectl would read again."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from quantum_runtime import manifest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from quantum_runtime.cluster.api import Object


def name(body: Object) -> str:
    """Return an object's kind, group and name, as kubectl writes and takes them."""
    return named(str(body["kind"]), body["metadata"]["name"])


def named(kind: str, name: str) -> str:
    """Return the same for an object that is not at hand."""
    return f"{kind.lower()}.{manifest.API_VERSION.partition('/')[0]}/{name}"


def text(bodies: Sequence[Object], form: str, *, single: bool = False) -> str:
    """Return objects in one of the formats, lines ended.

    Args:
        bodies: The objects.
        form: ``json``, ``yaml`` or ``name``.
        single: Print the one object itself; otherwise a List of however many there are.
    """
    if form == "name":
        return "".join(name(body) + "\n" for body in bodies)
    shown = [without_managed_fields(body) for body in bodies]
    document = shown[0] if single else as_list(shown)
    return manifest.to_yaml(document) if form == "yaml" else as_json(document) + "\n"


def without_managed_fields(body: Object) -> Object:
    """Return an object without the record of who wrote what: as kubectl shows it."""
    metadata = {key: value for key, value in body["metadata"].items() if key != "managedFields"}
    return {**body, "metadata": metadata}


def as_list(bodies: Sequence[Object]) -> dict[str, Any]:
    """Return the objects as the List that kubectl makes of several."""
    return {"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": ""}, "items": list(bodies)}


def as_json(document: Any) -> str:
    """Return an indented JSON text of printable characters and line feeds."""
    written = json.dumps(document, indent=4, ensure_ascii=False)
    return _UNUSUAL.sub(lambda found: json.dumps(found[0])[1:-1] if not found[0].isprintable() else found[0], written)


_UNUSUAL = re.compile(r"[^\n -~]")
