from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml
from quantum_runtime import backends
from quantum_runtime.backends import BackendError

if TYPE_CHECKING:
    from pathlib import Path


def backend(name: str, spec: object) -> str:
    return yaml.safe_dump({"kind": "RuntimeBackend", "metadata": {"name": name}, "spec": spec})


def test_a_well_known_name_keeps_its_spelling() -> None:
    chosen = backends.by_name("ibmq_montreal")
    assert (chosen.name, chosen.spec) == ("ibmq_montreal", {"fake": {"name": "FakeMontrealV2"}})


def test_a_name_nobody_knows_is_told_with_those_it_resembles() -> None:
    with pytest.raises(BackendError, match=r"^there is no RuntimeBackend 'fake-montreall'; did you mean fake-montreal"):
        backends.by_name("fake-montreall")


def test_a_file_with_one_backend_needs_no_name(tmp_path: Path) -> None:
    path = tmp_path / "backend.yaml"
    path.write_text("kind: ConfigMap\n---\n" + backend("noisy", {"aer": {"noiseModelFrom": "FakeLimaV2"}}))
    chosen = backends.from_file(path)
    assert (chosen.name, chosen.spec) == ("noisy", {"aer": {"noiseModelFrom": "FakeLimaV2"}})


def test_a_file_with_several_backends_needs_a_name(tmp_path: Path) -> None:
    path = tmp_path / "backends.yaml"
    path.write_text(backend("one", {"aer": {}}) + "---\n" + backend("two", {"generic": {"numQubits": 2}}))
    assert backends.from_file(path, "two").spec == {"generic": {"numQubits": 2}}
    with pytest.raises(BackendError, match="there are several: one, two; choose one with --backend"):
        backends.from_file(path)
    with pytest.raises(BackendError, match="RuntimeBackend 'three' is not in it"):
        backends.from_file(path, "three")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (None, "cannot be read: No such file or directory"),
        ("a: [", "is not YAML"),
        ("kind: RuntimeProgram", "expected one RuntimeBackend in"),
        ("- 1", "there are none"),
        (backend("one", None), "RuntimeBackend 'one' has no spec"),
        ("kind: RuntimeBackend\nmetadata: 3", "there are none"),
        ("a: &a [1]\nb: *a", "aliases are not supported"),
        (" " * (backends.FILE_BYTES + 1), "is larger than the limit of 1048576 bytes"),
    ],
    ids=["missing", "cut", "another kind", "list", "no spec", "no name", "aliases", "huge"],
)
def test_a_file_that_holds_no_backend_is_refused(tmp_path: Path, text: str | None, complaint: str) -> None:
    path = tmp_path / "backend.yaml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(BackendError) as caught:
        backends.from_file(path)
    assert complaint in str(caught.value)
