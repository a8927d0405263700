"""Programs rendered to the manifests of their catalogues."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result
from quantum_runtime import catalog
from quantum_runtime.cli import main
from support.crd import problems

PROGRAMS = Path(__file__).parents[2] / "programs"
MAIN = "def main(backend, user_messenger):\n    return 1\n"

CATALOG = """
partOf: our-programs
catalogs: [staging, production]
default: [staging]
programs:
  beta: [staging, production]
  gamma: []
"""


def add(path: Path, name: str, *, metadata: dict[str, Any] | None = None, source: str = MAIN) -> Path:
    folder = path / name
    folder.mkdir()
    (folder / f"{name}.py").write_text(source)
    about = {"name": name.replace("_", "-"), "max_execution_time": 60} | (metadata or {})
    (folder / f"{name}.json").write_text(json.dumps(about))
    return folder


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """Three programs: one that the catalogue does not name, one in both catalogues, one kept out."""
    for name in ("alpha_one", "beta", "gamma"):
        add(tmp_path, name)
    (tmp_path / "catalog.yaml").write_text(CATALOG)
    return tmp_path


def render(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["render", *map(str, arguments)])


def files(path: Path) -> dict[str, str]:
    return {file.relative_to(path).as_posix(): file.read_text() for file in sorted(path.rglob("*")) if file.is_file()}


def test_each_catalogue_gets_its_programs_and_a_kustomization(programs: Path) -> None:
    assert render(programs).exit_code == 0
    rendered = files(programs / "manifests")
    assert list(rendered) == [
        "production/beta.yaml",
        "production/kustomization.yaml",
        "staging/alpha-one.yaml",
        "staging/beta.yaml",
        "staging/kustomization.yaml",
    ]
    assert yaml.safe_load(rendered["staging/kustomization.yaml"])["resources"] == ["alpha-one.yaml", "beta.yaml"]
    manifest = yaml.safe_load(rendered["production/beta.yaml"])
    assert manifest["kind"] == "ClusterRuntimeProgram"
    assert manifest["metadata"]["labels"] == {
        "app.kubernetes.io/part-of": "our-programs",
        "quantumruntime.dev/catalog": "production",
    }
    assert manifest["spec"]["source"] == {"inline": MAIN}


def test_rendering_again_changes_nothing_not_even_the_time_of_a_file(programs: Path) -> None:
    render(programs)
    before = {file: file.stat().st_mtime_ns for file in (programs / "manifests").rglob("*")}
    assert render(programs).output == ""
    assert {file: file.stat().st_mtime_ns for file in (programs / "manifests").rglob("*")} == before
    assert render(programs, "--check").exit_code == 0


def test_check_names_what_differs_and_changes_nothing(programs: Path) -> None:
    render(programs)
    (programs / "beta/beta.py").write_text(MAIN.replace("1", "2"))
    add(programs, "delta")
    (programs / "catalog.yaml").write_text(CATALOG.replace("default: [staging]", "").replace("gamma", "delta"))
    before = files(programs)
    result = render(programs, "--check")
    assert result.exit_code == 1
    assert [line.removeprefix(f"{programs}/manifests/") for line in result.stderr.splitlines()] == [
        "production/beta.yaml: different",
        "staging/beta.yaml: different",
        "staging/kustomization.yaml: different",
        "staging/alpha-one.yaml: stale",
        f"Error: not up to date: run `quantum-runtime render {programs}`",
    ]
    assert files(programs) == before


def test_a_program_that_leaves_takes_its_manifest_with_it_and_other_files_stay(programs: Path) -> None:
    render(programs)
    ours = programs / "manifests/staging/quota.yaml"
    ours.write_text("kind: ResourceQuota\n")
    (programs / "catalog.yaml").write_text("catalogs: [staging]\nprograms: {alpha-one: [staging]}")
    result = render(programs)
    assert result.exit_code == 0, result.output
    assert [path for path in files(programs) if path.startswith("manifests/")] == [
        "manifests/staging/alpha-one.yaml",
        "manifests/staging/kustomization.yaml",
        "manifests/staging/quota.yaml",
    ]


def test_a_file_that_somebody_has_written_is_never_replaced(programs: Path) -> None:
    theirs = programs / "manifests/staging/beta.yaml"
    theirs.parent.mkdir(parents=True)
    theirs.write_text("kind: Theirs\n")
    result = render(programs)
    assert result.exit_code == 1
    assert "manifests/staging/beta.yaml: it was not rendered" in result.output
    assert files(programs / "manifests") == {"staging/beta.yaml": "kind: Theirs\n"}


def test_without_a_catalogue_programs_are_private_unless_their_metadata_say_otherwise(programs: Path) -> None:
    (programs / "catalog.yaml").unlink()
    add(programs, "open", metadata={"is_public": True})
    assert render(programs).exit_code == 0
    rendered = files(programs / "manifests")
    assert list(rendered) == ["alpha-one.yaml", "beta.yaml", "gamma.yaml", "kustomization.yaml", "open.yaml"]
    assert yaml.safe_load(rendered["beta.yaml"])["kind"] == "RuntimeProgram"
    assert yaml.safe_load(rendered["open.yaml"])["kind"] == "ClusterRuntimeProgram"


@pytest.mark.parametrize(
    ("options", "kind", "namespace"),
    [
        ([], "RuntimeProgram", None),
        (["--namespace", "chemistry"], "RuntimeProgram", "chemistry"),
        (["--public"], "ClusterRuntimeProgram", None),
    ],
    ids=["private by default", "in a namespace", "public when asked"],
)
def test_one_program_is_printed(programs: Path, options: list[str], kind: str, namespace: str | None) -> None:
    result = render(programs / "beta", *options)
    manifest = yaml.safe_load(result.output)
    assert result.exit_code == 0
    assert (manifest["kind"], manifest["metadata"].get("namespace")) == (kind, namespace)
    assert not (programs / "manifests").exists()


@pytest.mark.parametrize(
    ("path", "options", "message"),
    [
        ("beta", ["--check"], "--check is for a folder of programs"),
        ("beta", ["--public", "--namespace", "a"], "a public program has no namespace"),
        (".", ["--public"], "--public and --namespace are for one program"),
    ],
    ids=["checking one program", "a namespace for a public one", "visibility of a folder"],
)
def test_wrong_usage_is(programs: Path, path: str, options: list[str], message: str) -> None:
    result = render(programs / path, *options)
    assert result.exit_code == 2
    assert message in result.output


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        ("[]", ["expected an object with catalogs and programs"]),
        ("a: [", ["it is not YAML"]),
        ("catalogs: [a]\ncatalogues: [b]", ["catalogues: there is no such field; there are partOf, catalogs"]),
        ("programs: {}", ["catalogs: expected a list of names, got None"]),
        ("catalogs: []", ["catalogs: expected at least one name"]),
        ("catalogs: [Prod, a, a]", ["got 'Prod'", "'a' is in it twice"]),
        ("catalogs: [a]\ndefault: a", ["default: expected a list of names, got 'a'"]),
        ("catalogs: [a]\npartOf: A B", ["partOf: expected a label of small letters, digits and hyphens, got 'A B'"]),
        ("catalogs: [a]\nprograms: [beta]", ["programs: expected an object"]),
        ("catalogs: [a]\nprograms: {beta: [b]}", ["programs.beta: there is no catalogue 'b'; there are a"]),
        ("catalogs: [a]\nprograms: {omega: [a]}", ["programs.omega: there is no program of this name in"]),
    ],
    ids=[
        "no object",
        "no YAML",
        "an unknown field",
        "no catalogues",
        "an empty list of catalogues",
        "names that are none",
        "a default that is no list",
        "a label that is none",
        "programs that are no object",
        "a program in a catalogue that is not there",
        "a program that is not there",
    ],
)
def test_a_catalogue_that_cannot_be_used_is_explained(programs: Path, text: str, messages: list[str]) -> None:
    (programs / "catalog.yaml").write_text(text)
    result = render(programs)
    assert result.exit_code == 1
    for message in messages:
        assert message in result.output
    assert not (programs / "manifests").exists()


def test_a_program_that_cannot_be_used_is_named_and_nothing_is_written(programs: Path) -> None:
    (programs / "beta/beta.json").write_text("{}")
    (programs / "gamma/gamma.py").write_text("#" * 800_000 + "\n" + MAIN)
    result = render(programs)
    assert result.exit_code == 1
    assert "beta/beta.json" in result.output
    assert "gamma" in result.output
    assert "the limit is 768000" in result.output
    assert not (programs / "manifests").exists()


def test_two_programs_of_one_name_are_refused(programs: Path) -> None:
    add(programs, "other", metadata={"name": "beta"})
    result = render(programs)
    assert result.exit_code == 1
    assert "its name 'beta' is that of beta, too" in result.output


def test_a_folder_without_programs_has_nothing_to_render(tmp_path: Path) -> None:
    (tmp_path / "catalog.yaml").write_text("catalogs: [a]")
    result = render(tmp_path)
    assert result.exit_code == 1
    assert "there is no program in it" in result.output


@pytest.mark.parametrize(
    "path", sorted((PROGRAMS / "manifests").glob("*/*.yaml")), ids=lambda path: f"{path.parent.name}/{path.stem}"
)
def test_the_public_programs_are_what_the_api_server_takes(path: Path) -> None:
    manifest = yaml.safe_load(path.read_text())
    if path.name == "kustomization.yaml":
        assert sorted(manifest["resources"]) == sorted(file.name for file in path.parent.glob("*.yaml") if file != path)
    else:
        assert problems("clusterruntimeprograms", manifest) == []
        assert manifest["metadata"]["labels"]["quantumruntime.dev/catalog"] == path.parent.name


def test_compare_and_write_agree_with_render(programs: Path) -> None:
    rendered = catalog.render(programs)
    catalog.write(programs, rendered, catalog.compare(programs, rendered))
    assert catalog.compare(programs, rendered) == []
    assert {path: (programs / path).read_text() for path in rendered} == rendered
