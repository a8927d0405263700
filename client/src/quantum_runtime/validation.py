"""Everything that can be said about a program before it runs: its files, metadata, schemas and examples together.

Nothing of the program is executed.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from runtime_runner import modules
from runtime_runner.compatibility import names, shims
from runtime_runner.schema import bounded

from quantum_runtime import findings, folder, judgement, metadata, schemas, sources

if TYPE_CHECKING:
    import ast
    from pathlib import Path

    from quantum_runtime.findings import Finding
    from quantum_runtime.folder import ProgramFolder
    from quantum_runtime.sources import Main

_FIELDS = {key: f"spec.{key}" for key in metadata.SCHEMAS}

PROFILES = ("default", "science")
"""Those the chart defines; a platform team may have others."""

RESTORES = "Qiskit0"
"""The compatibility layer that restores names of earlier versions of Qiskit."""

DEFAULT_MODULES = frozenset(
    {
        "dateutil",
        "dill",
        "numpy",
        "orjson",
        "psutil",
        "pydantic",
        "qiskit",
        "qiskit_aer",
        "qiskit_ibm_runtime",
        "qiskit_qasm3_import",
        "requests",
        "runtime_runner",
        "rustworkx",
        "samplomatic",
        "scipy",
        "six",
        "stevedore",
        "typing_extensions",
        "urllib3",
    }
)
"""What the profile `default` has beyond the standard library: Qiskit, Aer and what they need."""


def validate(path: Path | str, inputs: dict[str, Any] | None = None) -> tuple[ProgramFolder | None, list[Finding]]:
    """Return the program, None if there is none, and everything found, in the order of its files.

    Args:
        path: The program's file or folder.
        inputs: Of one more run, checked like an example.
    """
    program, found = folder.inspect(path)
    if program is None:
        return None, found
    main, about_sources = _sources(program)
    found += about_sources
    if not findings.errors(finding for finding in found if finding.file == program.metadata_file):
        found += _metadata(program, main)
        runs = {f"{folder.EXAMPLES}/{name}.json": values for name, values in program.examples.items()}
        found += _runs(program, main, runs if inputs is None else runs | {"--inputs": inputs})
    return program, found


def _sources(program: ProgramFolder) -> tuple[Main | None, list[Finding]]:
    found: list[Finding] = []
    trees: dict[str, ast.Module] = {}
    for file, text in program.files.items():
        if file.endswith(".py"):
            tree, problems = sources.parse(file, text)
            found += problems
            if tree is not None:
                trees[file] = tree
    main = None
    if program.entrypoint in trees:
        main, problems = sources.find_main(program.entrypoint, trees[program.entrypoint])
        found += problems
    return main, found + _imports(program, trees)


def _imports(program: ProgramFolder, trees: dict[str, ast.Module]) -> list[Finding]:
    """Say which modules and names the program will not find: in its profile, if that is one of the chart's."""
    profile = program.metadata.profile or PROFILES[0]
    science = set(modules.of_science())
    there = DEFAULT_MODULES | sys.stdlib_module_names | (science if profile == PROFILES[1] else set())
    found: dict[str, Finding] = {}
    for one in sources.imports(trees):
        key, message, reason = one.name, _old_name(one.name, program.metadata.compatibility), ""
        if not message and one.module not in there and profile in PROFILES:
            hint = "; the profile 'science' has it: set spec.profile" if one.module in science else ""
            message = f"it imports {one.module!r}, which the runner profile {profile!r} does not have{hint}"
            key, reason = one.module, findings.MISSING_MODULE
        if message:
            found.setdefault(key, findings.warning(one.file, message, field=f"line {one.line}", reason=reason))
    return list(found.values())


def _old_name(name: str, compatibility: str) -> str:
    """Say what has become of a name of earlier versions of Qiskit; empty if the program will find it."""
    part = modules.known_part(name)
    if part in names.LOST:
        return f"{name} is gone since {names.LOST[part].gone}: {names.LOST[part].text}"
    if not part:
        return ""
    restored = names.RESTORED[part]
    if isinstance(restored, shims.Attribute) and restored.replaces:  # it exists, and the layer only changes it
        return ""
    if not modules.supplies(restored, name[len(part) + 1 :]):
        return f"{name} is gone since {restored.gone}: spec.compatibility {RESTORES!r} restores {part} without it"
    if compatibility == RESTORES:
        return ""
    return f"{name} is gone since {restored.gone}: spec.compatibility {RESTORES!r} restores it"


def _metadata(program: ProgramFolder, main: Main | None) -> list[Finding]:
    about, file = program.metadata, program.metadata_file
    if not file:
        return []
    found = []
    expected = metadata.module_name(about.name)
    if program.path.is_dir() and program.path.resolve().name != expected:
        message = f"the program {about.name!r} is in a folder called {program.path.resolve().name!r}, not {expected!r}"
        found.append(findings.warning(file, message, field="name"))
    if about.profile and about.profile not in PROFILES:
        message = f"a cluster must have a runner profile {about.profile!r}; the chart defines {' and '.join(PROFILES)}"
        found.append(findings.warning(file, message, field="spec.profile"))
    found += _schemas(program)
    return found + _parameters_and_main(program, main)


def _schemas(program: ProgramFolder) -> list[Finding]:
    """Say which schemas cannot be applied, and which defaults are not what their own schema asks for."""
    file = program.metadata_file
    named = {key: schema for key in metadata.SCHEMAS if (schema := getattr(program.metadata, key))}
    checks = [bounded.Request(schema=schema, text="", what=key) for key, schema in named.items()]
    found = []
    for key, verdict in zip(named, bounded.check(checks), strict=True):
        if verdict.too_expensive and key == "parameters":
            problem = f"no job could be checked: {verdict.problem}"
            found.append(findings.error(file, problem, field=_FIELDS[key], reason=findings.SCHEMA_TOO_EXPENSIVE))
        elif verdict.problem:
            problem = f"it is not enforced: {verdict.problem}"
            reason = findings.SCHEMA_NOT_APPLICABLE
            found.append(findings.warning(file, problem, field=_FIELDS[key], reason=reason))
    if found:
        return found
    for key, schema in named.items():
        found += _defaults(file, _FIELDS[key], schema)
    return found


def _defaults(file: str, field: str, schema: dict[str, Any]) -> list[Finding]:
    there = schemas.defaults(schema)
    shared = {name: schema[name] for name in ("$schema", "$defs", "definitions") if name in schema}
    requests = [
        bounded.Request(schema=shared | below, text=json.dumps(below["default"]), what="default") for _, below in there
    ]
    return [
        findings.warning(file, judgement.sentence(verdict.violations), field=".".join(filter(None, (field, path))))
        for (path, _), verdict in zip(there, bounded.check(requests), strict=True)
        if verdict.violations
    ]


def _parameters_and_main(program: ProgramFolder, main: Main | None) -> list[Finding]:
    """Compare what the metadata promise with what main takes."""
    parameters = program.metadata.parameters
    if parameters.get(schemas.LIST_STYLE):
        return []
    described = parameters.get("properties", {})
    required = parameters.get("required", [])
    if not isinstance(described, dict) or not isinstance(required, list):
        return []  # has been said: no schema
    file, field = program.metadata_file, _FIELDS["parameters"]
    found = [
        findings.warning(file, f"{name!r} is required and not described in properties", field=f"{field}.required")
        for name in required
        if name not in described
    ]
    if main is None or main.takes_anything:
        return found
    taken = [parameter.name for parameter in main.inputs]
    message = f"main() does not take it (it takes {', '.join(taken) or 'no inputs'})"
    unknown = [name for name in described if name not in taken]
    return found + [findings.warning(file, message, field=f"{field}.properties.{name}") for name in unknown]


def _runs(program: ProgramFolder, main: Main | None, runs: dict[str, dict[str, Any]]) -> list[Finding]:
    """Say which inputs would be refused, and why."""
    found = []
    for file, values in runs.items():
        if refusal := judgement.inputs_are_too_large(values) or judgement.of_inputs(program, values)[0]:
            found.append(findings.error(file, refusal.message, reason=refusal.reason))
        elif main is not None and (complaint := main.complaints(values)):
            found.append(findings.error(file, complaint, reason=findings.INVALID_INPUT))
    return found
