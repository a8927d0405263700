"""Bring the chart up to date with what it is made from; with ``--check`` only say whether it is.

From ``crds/`` come the chart's own ``crds/``, from the operator's configuration model the part of
``values.schema.json`` that describes ``config``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from runtime_operator.config import OperatorConfig

ROOT = Path(__file__).resolve().parent.parent
CHART = ROOT / "charts" / "quantum-runtime"
SCHEMA = CHART / "values.schema.json"

METADATA = "metadata:\n"
OWNED = f"""{METADATA}\
  labels:
    app.kubernetes.io/managed-by: Helm
    app.kubernetes.io/part-of: quantum-runtime
  annotations:
    # With these, the release of this name takes the CRDs over and upgrades them: see templates/crds.yaml.
    meta.helm.sh/release-name: quantum-runtime
    meta.helm.sh/release-namespace: quantum-runtime-system
    # With a CRD goes every object of its kind.
    helm.sh/resource-policy: keep
"""


def charts_crd(crd: str) -> str:
    """Return the CRD as the chart installs it."""
    if crd.count(f"\n{METADATA}") != 1:
        raise SystemExit("a CRD must have one metadata section")
    return "# Made from crds/ by `make crds`.\n" + crd.replace(METADATA, OWNED, 1)


def values_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of the chart's values with the operator's configuration model in it."""
    config = OperatorConfig.model_json_schema(by_alias=True)
    definitions = {**config.pop("$defs"), "OperatorConfig": config}
    return {**schema, "$defs": dict(sorted(definitions.items()))}


def wanted() -> dict[Path, str]:
    """Return every generated file with its text."""
    files = {
        CHART / "crds" / path.name: charts_crd(path.read_text()) for path in sorted((ROOT / "crds").glob("*.yaml"))
    }
    schema = values_schema(json.loads(SCHEMA.read_text()))
    return {**files, SCHEMA: json.dumps(schema, indent=2) + "\n"}


def main() -> None:
    """Write what differs, or fail because something does."""
    files = wanted()
    stale = [path for path, text in files.items() if not path.exists() or path.read_text() != text]
    orphans = sorted(set((CHART / "crds").glob("*")) - set(files))
    if "--check" in sys.argv[1:]:
        if stale or orphans:
            raise SystemExit("not up to date, run `make crds`: " + ", ".join(p.name for p in [*stale, *orphans]))
        return
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(files[path])
    for path in orphans:
        path.unlink()


if __name__ == "__main__":
    main()
