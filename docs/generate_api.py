"""Write docs/api.md from the CRDs; with ``--check`` only say whether it is up to date."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import yaml
from generated import ROOT, write_or_check

if TYPE_CHECKING:
    from collections.abc import Iterator

TARGET = ROOT / "docs" / "api.md"
KINDS = (
    "runtimejobs",
    "runtimejoboutputs",
    "runtimeprograms",
    "clusterruntimeprograms",
    "runtimebackends",
    "runnerpools",
)

INTRODUCTION = """\
# API reference

Made from `crds/` by `make crds`; do not edit. The same text is in `kubectl explain`, for example
`kubectl explain runtimejob.spec`.

All kinds are of the group `quantumruntime.dev`, version `v1alpha1`, and of the category `quantum`: `kubectl get
quantum` lists what there is. A field in **bold** is required where its parent is given; `[]` stands for the items of a
list. Unknown fields are refused by kubectl and dropped by the API server.
"""

BOUNDS = {
    "minimum": "≥ {:,}",
    "maximum": "≤ {:,}",
    "minLength": "≥ {:,} characters",
    "maxLength": "≤ {:,} characters",
    "minItems": "≥ {:,} items",
    "maxItems": "≤ {:,} items",
    "minProperties": "≥ {:,} entries",
    "maxProperties": "≤ {:,} entries",
    "pattern": "pattern `{}`",
}


def page() -> str:
    """Return the whole page."""
    crds = [yaml.safe_load((ROOT / "crds" / f"{plural}.yaml").read_text()) for plural in KINDS]
    return "\n".join([INTRODUCTION, *("\n".join(section(crd)) for crd in crds)])


def section(crd: dict[str, Any]) -> Iterator[str]:
    """Yield the lines about one kind."""
    names, version = crd["spec"]["names"], crd["spec"]["versions"][0]
    schema = version["schema"]["openAPIV3Schema"]
    scope = "cluster-wide" if crd["spec"]["scope"] == "Cluster" else "in a namespace"
    yield f"## {names['kind']}\n"
    yield f"{schema['description']}\n"
    yield f"Lives {scope}; short name `{names['shortNames'][0]}`.\n"
    for part in ("spec", "status"):
        if part in schema["properties"]:
            yield from table(part, schema["properties"][part])
    yield "### What else the API server refuses\n"
    yield from (f"- {line}" for line in rules("", schema))
    yield "\n### Columns of `kubectl get`\n"
    yield "| Column | Shows | From |\n|---|---|---|"
    for column in version["additionalPrinterColumns"]:
        wide = " (with `-o wide`)" if column.get("priority") else ""
        yield f"| {column['name']} | {column['description']}{wide} | `{cell(column['jsonPath'])}` |"
    if selectable := version.get("selectableFields"):
        fields = ", ".join(f"`{field['jsonPath'].lstrip('.')}`" for field in selectable)
        yield f"\nField selectors (`kubectl get {names['shortNames'][0]} --field-selector ...`): {fields}."
    yield ""


def table(part: str, schema: dict[str, Any]) -> Iterator[str]:
    """Yield the fields below `spec` or `status`."""
    yield f"### {part}\n"
    yield f"{schema['description']}\n"
    yield "| Field | Type | Default | Description | Bounds |\n|---|---|---|---|---|"
    for path, field, required in fields(schema):
        name = f"**`{path}`**" if required else f"`{path}`"
        default = f"`{json.dumps(field['default'])}`" if "default" in field else ""
        yield f"| {name} | {kind(field)} | {default} | {cell(field['description'])} | {cell(bounds(field))} |"
    yield ""


def fields(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any], bool]]:
    """Yield each field below this one as (path, schema, required); plain items and values are part of their parent."""
    for name, field in schema.get("properties", {}).items():
        here = f"{path}.{name}" if path else name
        yield here, field, name in schema.get("required", ())
        yield from fields(field, here)
        if "items" in field:
            yield from fields(field["items"], f"{here}[]")


def kind(field: dict[str, Any]) -> str:
    """Return the type in words."""
    if "items" in field:
        return f"list of {kind(field['items'])}"
    if "additionalProperties" in field:
        return f"map to {kind(field['additionalProperties'])}"
    if field.get("x-kubernetes-preserve-unknown-fields"):
        return "any object"
    text = {"date-time": "time"}.get(field.get("format", ""), field["type"])
    return f"{text} or null" if field.get("nullable") else text


def bounds(field: dict[str, Any]) -> str:
    """Return what a value must satisfy."""
    if "enum" in field:
        return "one of " + ", ".join(f"`{value}`" for value in field["enum"])
    if field.get("format") == "date-time":
        return ""
    found = [text.format(field[key]) for key, text in BOUNDS.items() if key in field]
    inner = field.get("items") or field.get("additionalProperties")
    if inner and "properties" not in inner and (each := bounds(inner)):
        found.append(f"each {each}")
    return "; ".join(found)


def rules(path: str, schema: dict[str, Any]) -> Iterator[str]:
    """Yield every rule the API server checks beyond types and bounds, grouped by what it says."""
    said: dict[str, list[str]] = {}
    for where, rule in _rules(path, schema):
        said.setdefault(rule, []).append(where)
    for message, places in said.items():
        where = ", ".join(f"`{place}`" for place in places if place)
        yield f"{where}: *{message}*" if where else f"*{message}*"


def _rules(path: str, schema: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for rule in schema.get("x-kubernetes-validations", []):
        yield path + rule.get("fieldPath", ""), rule["message"]
    for name, field in schema.get("properties", {}).items():
        here = f"{path}.{name}" if path else name
        yield from _rules(here, field)
        if "items" in field:
            yield from _rules(f"{here}[]", field["items"])


def cell(text: str) -> str:
    """Return the text fit for a table's cell."""
    return text.replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    write_or_check(TARGET, page())
