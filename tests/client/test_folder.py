from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
import yaml
from quantum_runtime import folder
from quantum_runtime.findings import FolderError

ROOT = Path(__file__).parents[2]
MAIN = "def main(backend, user_messenger, **kwargs):\n    return 1\n"


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "my_program"
    (path / "examples").mkdir(parents=True)
    (path / "my_program.py").write_text(MAIN)
    (path / "my_program.json").write_text(json.dumps({"name": "my-program", "max_execution_time": 60}))
    (path / "examples" / "short.json").write_text('{"shots": 10}')
    return path


def complaints(path: Path) -> list[str]:
    with pytest.raises(FolderError) as caught:
        folder.read(path)
    return [str(finding) for finding in caught.value.findings if finding.level == "error"]


def test_a_folder_is_entrypoint_metadata_and_examples(program: Path) -> None:
    read = folder.read(program)
    assert (read.name, read.entrypoint, read.metadata.max_execution_time) == ("my-program", "my_program.py", 60)
    assert read.files == {"my_program.py": MAIN}
    assert read.examples == {"short": {"shots": 10}}
    assert read.warnings == ()


def test_every_other_text_file_belongs_to_the_program(program: Path) -> None:
    for name in ("helpers/__init__.py", "helpers/ansatz.py", "data/lih.json", "notes.txt"):
        (program / name).parent.mkdir(exist_ok=True)
        (program / name).write_text("x = 1\n")
    assert list(folder.read(program).files) == [
        "data/lih.json",
        "helpers/__init__.py",
        "helpers/ansatz.py",
        "my_program.py",
        "notes.txt",
    ]


@pytest.mark.parametrize(
    "name",
    [
        "test_my_program.py",
        "conftest.py",
        "program.yaml",
        "kustomization.yml",
        ".hidden",
        ".git/config",
        "__pycache__/my_program.cpython-311.pyc",
        "tests/data.json",
        "helpers/test_ansatz.py",
        "my_program.py~",
    ],
)
def test_tests_caches_manifests_and_hidden_files_stay_at_home(program: Path, name: str) -> None:
    (program / name).parent.mkdir(exist_ok=True)
    (program / name).write_bytes(b"\xff")
    assert list(folder.read(program).files) == ["my_program.py"]


def test_one_file_is_a_program_named_after_it(tmp_path: Path) -> None:
    path = tmp_path / "Quick_Try.py"
    path.write_text(MAIN)
    read = folder.read(path)
    assert (read.name, read.entrypoint, read.files) == ("quick-try", "Quick_Try.py", {"Quick_Try.py": MAIN})
    assert read.metadata.max_execution_time == 28800
    assert read.warnings == ()


def test_one_file_brings_the_metadata_beside_it(program: Path, tmp_path: Path) -> None:
    other = tmp_path / "all_programs"
    other.mkdir()
    for file in ("my_program.py", "my_program.json"):
        (program / file).rename(other / file)
    (other / "another.py").write_text(MAIN)
    read = folder.read(other / "my_program.py")
    assert read.metadata.max_execution_time == 60
    assert list(read.files) == ["my_program.py"]


def test_the_entrypoint_of_a_folder_stands_for_the_folder(program: Path) -> None:
    (program / "helpers.py").write_text("x = 1\n")
    assert folder.read(program / "my_program.py").files == folder.read(program).files


def test_the_folder_one_stands_in_has_a_name(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(program)
    assert folder.read(".").name == "my-program"
    assert folder.read("my_program.py").examples == {"short": {"shots": 10}}


@pytest.mark.parametrize("name", ["main.py", "anything.py"])
def test_main_py_or_the_only_file_is_the_entrypoint_of_a_folder_of_another_name(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(MAIN)
    read = folder.read(tmp_path)
    assert read.entrypoint == name
    assert "there is no metadata file" in str(read.warnings[0])


def test_a_folder_without_an_entrypoint_says_what_it_looked_for(tmp_path: Path) -> None:
    for name in ("a.py", "b.py"):
        (tmp_path / name).write_text(MAIN)
    (complaint,) = complaints(tmp_path)
    assert complaint.endswith(".py nor main.py among its files: a.py, b.py (EntrypointNotFound)")


@pytest.mark.parametrize("name", ["missing", "missing.py", "program.txt"])
def test_a_path_that_is_no_program_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "program.txt").write_text("")
    assert complaints(tmp_path / name)[0].startswith(f"error: {tmp_path / name}: ")


def test_a_file_that_is_no_text_is_named(program: Path) -> None:
    (program / "data.npy").write_bytes(b"\x93NUMPY")
    assert complaints(program) == [
        "error: data.npy: it is not UTF-8 text (invalid start byte at byte 0); a program has text files only "
        "(InvalidSpec)"
    ]


def test_a_source_above_the_clusters_limit_is_refused_with_both_figures(program: Path) -> None:
    (program / "data.txt").write_text("x" * folder.SOURCE_BYTES)
    size = folder.SOURCE_BYTES + len(MAIN)
    assert complaints(program) == [
        f"error: {program}: the source is {size} bytes or more, the limit is {folder.SOURCE_BYTES} (SourceTooLarge)"
    ]


def test_a_source_of_exactly_the_limit_is_taken(program: Path) -> None:
    (program / "data.txt").write_text("x" * (folder.SOURCE_BYTES - len(MAIN)))
    assert sum(len(text) for text in folder.read(program).files.values()) == folder.SOURCE_BYTES


def test_more_files_than_a_program_can_have_are_refused(program: Path) -> None:
    for number in range(folder.MOST_FILES - 1):
        (program / f"data{number}.txt").write_text("")
    assert len(folder.read(program).files) == folder.MOST_FILES
    (program / "one_more.txt").write_text("")
    assert "more files than the 128" in complaints(program)[0]


@pytest.mark.parametrize(
    ("target", "complaint"),
    [
        ("/etc/hostname", "it is a symbolic link to a place outside the program's folder"),
        ("../secret.txt", "it is a symbolic link to a place outside the program's folder"),
        ("nothing", "it is a symbolic link to nothing"),
        (".", "it is a symbolic link to a folder; link single files instead"),
    ],
)
def test_a_link_cannot_bring_the_machines_files_into_a_program(program: Path, target: str, complaint: str) -> None:
    (program.parent / "secret.txt").write_text("secret")
    (program / "link.txt").symlink_to(target)
    assert complaints(program) == [f"error: link.txt: {complaint} (InvalidSpec)"]


def test_metadata_behind_a_link_to_elsewhere_are_not_read(program: Path) -> None:
    (program / "my_program.json").rename(program.parent / "elsewhere.json")
    (program / "my_program.json").symlink_to("../elsewhere.json")
    assert complaints(program) == [
        "error: my_program.json: it is a symbolic link to a place outside the program's folder (InvalidSpec)"
    ]


def test_a_link_within_the_folder_is_a_file(program: Path) -> None:
    (program / "alias.py").symlink_to("my_program.py")
    assert folder.read(program).files["alias.py"] == MAIN


def test_a_pipe_is_not_waited_for(program: Path) -> None:
    os.mkfifo(program / "pipe")
    assert complaints(program) == ["error: pipe: it is neither a file nor a folder (InvalidSpec)"]


def test_a_path_that_a_cluster_would_not_take_is_named(program: Path) -> None:
    (program / "my data.txt").write_text("")
    assert complaints(program)[0].startswith("error: my data.txt: its path has to be of letters, digits")


def test_paths_are_checked_as_the_cluster_checks_them() -> None:
    crd = yaml.safe_load((ROOT / "crds/runtimeprograms.yaml").read_text())
    spec = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
    files = spec["source"]["properties"]["files"]
    rules = " ".join(rule["rule"] for rule in files["x-kubernetes-validations"])
    assert f"'^{folder._PATH.pattern}$'" in rules
    assert re.search(rf"path\.size\(\) <= {folder.LONGEST_PATH}\b", rules)
    assert files["maxProperties"] == folder.MOST_FILES


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "it is not JSON"),
        ("[1]", "expected an object: input name -> value"),
        ('{"x": NaN}', "it is not JSON: NaN is no number of JSON"),
    ],
)
def test_an_example_that_holds_no_inputs_is_named(program: Path, text: str, complaint: str) -> None:
    (program / "examples" / "bad.json").write_text(text)
    assert complaints(program)[0].startswith("error: examples/bad.json")
    assert complaint in complaints(program)[0]


def test_files_and_metadata_are_complained_about_together(program: Path) -> None:
    (program / "my_program.json").write_text("{}")
    (program / "data.bin").write_bytes(b"\xff")
    assert [complaint.split(": ")[1:3] for complaint in complaints(program)] == [
        [
            "data.bin",
            "it is not UTF-8 text (invalid start byte at byte 0); a program has text files only (InvalidSpec)",
        ],
        ["my_program.json", "name"],
        ["my_program.json", "max_execution_time"],
    ]
