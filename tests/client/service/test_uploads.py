from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from quantum_runtime.exceptions import IBMInputValueError
from quantum_runtime.service import uploads
from support import crd

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SOURCE = "def main(backend, user_messenger, **kwargs):\n    return 1\n"
METADATA = {"name": "my-program", "max_execution_time": 60, "description": "Does it."}


def upload(data: Any = SOURCE, metadata: Any = None) -> dict[str, Any]:
    body = uploads.prepare_upload(data, metadata, "lab")
    plural = "clusterruntimeprograms" if body["kind"] == "ClusterRuntimeProgram" else "runtimeprograms"
    assert not list(crd.problems(plural, body))
    return body


def update(body: dict[str, Any], data: Any = None, metadata: Any = None, **values: Any) -> dict[str, Any]:
    prepared = uploads.prepare_update(data, metadata, **values)
    assert prepared is not None
    return uploads.changed_program(body, prepared)[0]


def test_text_that_defines_main_is_the_source() -> None:
    assert upload(metadata=METADATA) == {
        "apiVersion": "quantumruntime.dev/v1alpha1",
        "kind": "RuntimeProgram",
        "metadata": {"name": "my-program", "namespace": "lab"},
        "spec": {
            "description": "Does it.",
            "maxExecutionTimeSeconds": 60,
            "entrypoint": "my_program.py",
            "source": {"inline": SOURCE},
        },
    }


def test_other_text_is_the_path_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "given.py"
    path.write_text(SOURCE)
    for data in (str(path), path):
        spec = upload(data, METADATA)["spec"]
        assert (spec["entrypoint"], spec["source"]) == ("given.py", {"inline": SOURCE})


def test_a_path_that_does_not_exist_says_why_it_was_taken_for_one() -> None:
    with pytest.raises(IBMInputValueError, match=r"no such file or folder.*does not contain 'def main\('"):
        upload("def start(backend): ...", METADATA)


def test_a_folder_brings_its_metadata_and_all_its_files(write: Callable[..., Path]) -> None:
    folder = write("return 1", files={"helpers.py": "X = 1\n"}, description="In the folder.")
    body = upload(folder)
    assert body["metadata"]["name"] == "my-program"
    assert body["spec"]["description"] == "In the folder."
    assert sorted(body["spec"]["source"]["files"]) == ["helpers.py", "my_program.py"]


def test_metadata_that_are_given_win_key_by_key(write: Callable[..., Path]) -> None:
    folder = write("return 1", spec={"parameters": {"type": "object"}}, description="In the folder.")
    body = upload(folder, {"description": "Given.", "spec": {"return_values": {"type": "string"}}})
    assert body["spec"]["description"] == "Given."
    assert body["spec"]["maxExecutionTimeSeconds"] == 60
    assert body["spec"]["parameters"] == {"type": "object"}
    assert body["spec"]["returnValues"] == {"type": "string"}


def test_what_is_wrong_with_the_folders_own_metadata_does_not_matter_if_others_are_given(
    write: Callable[..., Path],
) -> None:
    folder = write("return 1", files={"my_program.json": "{"})
    with pytest.raises(IBMInputValueError, match=r"my_program\.json.*not JSON"):
        upload(folder)
    assert upload(folder, METADATA)["spec"]["description"] == "Does it."


def test_metadata_may_be_the_path_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "about.json"
    path.write_text(json.dumps(METADATA))
    assert upload(metadata=str(path))["spec"]["description"] == "Does it."
    with pytest.raises(IBMInputValueError, match="no such file"):
        upload(metadata=tmp_path / "none.json")
    path.write_text("[]")
    with pytest.raises(IBMInputValueError, match="expected an object, got list"):
        upload(metadata=path)


@pytest.mark.parametrize("wrong", [{}, {"name": ""}, {"name": "x"}, {"max_execution_time": 5}, {"name": None}])
def test_name_and_time_limit_are_required(wrong: dict[str, Any]) -> None:
    missing = "max_execution_time" if wrong.get("name") else "name"
    with pytest.raises(IBMInputValueError, match=rf"^{missing} is a required metadata field\.$"):
        upload(metadata=wrong)


def test_a_file_stands_in_for_the_name_and_nothing_for_the_time_limit(tmp_path: Path) -> None:
    path = tmp_path / "some_program.py"
    path.write_text(SOURCE)
    with pytest.raises(IBMInputValueError, match="max_execution_time is a required metadata field"):
        upload(path)
    assert upload(path, {"max_execution_time": 5})["metadata"]["name"] == "some-program"


def test_a_name_becomes_that_of_a_resource_and_is_kept() -> None:
    with pytest.warns(UserWarning, match="'Qiskit_Test' is called 'qiskit-test' in a cluster") as caught:
        body = upload(metadata=METADATA | {"name": "Qiskit_Test"})
    assert body["metadata"]["name"] == "qiskit-test"
    assert body["spec"]["entrypoint"] == "qiskit_test.py"
    assert '"value": "Qiskit_Test"' in body["metadata"]["annotations"]["quantumruntime.dev/metadata"]
    assert caught[0].filename == __file__


def test_a_public_program_has_no_namespace() -> None:
    body = upload(metadata=METADATA | {"is_public": True})
    assert body["kind"] == "ClusterRuntimeProgram"
    assert "namespace" not in body["metadata"]


def test_the_list_style_is_read() -> None:
    listed = METADATA | {"parameters": [{"name": "a", "type": "int", "required": True, "description": "One."}]}
    with pytest.warns(UserWarning, match="list style is documentation"):
        body = upload(metadata=listed)
    assert body["spec"]["parameters"]["properties"]["a"] == {
        "description": "One.",
        "x-type": "int",
        "x-required": True,
    }


def test_a_time_limit_above_the_clusters_is_lowered_with_a_warning() -> None:
    with pytest.warns(UserWarning, match="100000 s is lowered to a cluster's limit of 28800 s"):
        assert upload(metadata=METADATA | {"max_execution_time": 100_000})["spec"]["maxExecutionTimeSeconds"] == 28800


@pytest.mark.parametrize(
    ("data", "metadata", "message"),
    [
        (5, METADATA, r"data is of type int, expected source text that contains 'def main\('"),
        (SOURCE, 5, "metadata is of type int, expected a dictionary or the path"),
        (SOURCE, METADATA | {"max_execution_time": "5"}, "max_execution_time: expected a whole number"),
        (SOURCE, METADATA | {"spec": []}, "spec: expected an object"),
        (SOURCE + "#" * 800_000, METADATA, r"the source is 8000\d\d bytes, the limit is 768000"),
    ],
)
def test_what_cannot_be_uploaded_is_refused(data: Any, metadata: Any, message: str) -> None:
    with pytest.raises(IBMInputValueError, match=message):
        upload(data, metadata)


def test_an_update_keeps_what_it_is_not_given() -> None:
    with pytest.warns(UserWarning, match="does not check this"):
        body = upload(metadata=METADATA | {"spec": {"parameters": {}, "backend_requirements": {"x": 1}}})
    body["metadata"] |= {"labels": {"team": "a"}, "resourceVersion": "7", "annotations": {"mine": "yes"}}
    body["spec"] |= {"validateResults": "Warn", "field-of-tomorrow": 1}
    changed = update(body, description="New.")
    assert changed["spec"] == body["spec"] | {"description": "New."}
    assert changed["metadata"]["labels"] == {"team": "a"}
    assert changed["metadata"]["resourceVersion"] == "7"
    assert changed["metadata"]["annotations"]["mine"] == "yes"


def test_a_field_that_somebody_edited_stays_edited() -> None:
    with pytest.warns(UserWarning, match="is lowered"):
        body = upload(metadata=METADATA | {"max_execution_time": 100_000})
    body["spec"]["maxExecutionTimeSeconds"] = 600
    assert update(body, description="New.")["spec"]["maxExecutionTimeSeconds"] == 600


def test_single_values_win_over_metadata() -> None:
    body = upload(metadata=METADATA)
    metadata = {"description": "In the metadata.", "max_execution_time": 30}
    changed = update(body, metadata=metadata, description="Alone.")
    assert (changed["spec"]["description"], changed["spec"]["maxExecutionTimeSeconds"]) == ("Alone.", 30)


def test_keys_of_spec_are_changed_one_by_one_and_an_empty_schema_goes_away() -> None:
    body = upload(metadata=METADATA | {"spec": {"parameters": {"type": "object"}, "return_values": {"type": "string"}}})
    changed = update(body, spec={"return_values": {}, "interim_results": {"type": "number"}})
    assert changed["spec"]["parameters"] == {"type": "object"}
    assert "returnValues" not in changed["spec"]
    assert changed["spec"]["interimResults"] == {"type": "number"}


def test_a_schema_takes_the_place_of_a_list() -> None:
    with pytest.warns(UserWarning, match="list style"):
        body = upload(metadata=METADATA | {"parameters": [{"name": "a"}]})
    changed = update(body, spec={"parameters": {"type": "object"}})
    assert changed["spec"]["parameters"] == {"type": "object"}
    assert "annotations" not in changed["metadata"]


def test_new_source_keeps_the_name_of_the_file() -> None:
    body = upload(metadata=METADATA)
    changed = update(body, SOURCE + "# new\n")
    assert changed["spec"]["source"] == {"inline": SOURCE + "# new\n"}
    assert changed["spec"]["entrypoint"] == "my_program.py"
    assert changed["spec"]["description"] == "Does it."


def test_a_new_folder_replaces_all_files_and_no_metadata(write: Callable[..., Path]) -> None:
    folder = write("return 2", files={"helpers.py": "X = 1\n"}, description="In the folder.")
    changed = update(upload(metadata=METADATA), folder)
    assert sorted(changed["spec"]["source"]["files"]) == ["helpers.py", "my_program.py"]
    assert changed["spec"]["description"] == "Does it."


def test_a_program_cannot_be_renamed_but_spelt_otherwise() -> None:
    body = upload(metadata=METADATA)
    with pytest.raises(IBMInputValueError, match="'my-program' cannot be renamed to 'other'"):
        update(body, name="other")
    changed = update(body, name="My_Program")
    assert '"value": "My_Program"' in changed["metadata"]["annotations"]["quantumruntime.dev/metadata"]


def test_an_update_does_not_publish() -> None:
    prepared = uploads.prepare_update(None, {"is_public": True, "description": "New."})
    assert prepared is not None
    changed, warnings = uploads.changed_program(upload(metadata=METADATA), prepared)
    assert changed["kind"] == "RuntimeProgram"
    assert changed["spec"]["description"] == "New."
    assert warnings == ["is_public is not changed by an update; change the visibility of 'my-program' instead"]


def test_nothing_given_is_nothing_to_update() -> None:
    assert uploads.prepare_update(None, None, name=None, spec=None) is None
    assert uploads.prepare_update(None, {}) is None


def test_a_damaged_annotation_does_not_prevent_an_update() -> None:
    body = upload(metadata=METADATA)
    body["metadata"]["annotations"] = {"quantumruntime.dev/metadata": "{", "mine": "yes"}
    changed = update(body, description="New.")
    assert changed["metadata"]["annotations"] == {"mine": "yes"}


def test_a_program_that_is_published_is_the_same_elsewhere() -> None:
    with pytest.warns(UserWarning, match="does not check this"):
        body = upload(metadata=METADATA | {"spec": {"backend_requirements": {"min_num_qubits": 5, "x": 1}}})
    annotations = {"mine": "yes", "kubectl.kubernetes.io/last-applied-configuration": "{}"}
    body["metadata"] |= {"uid": "u", "resourceVersion": "7", "labels": {"team": "a"}, "managedFields": []}
    body["metadata"]["annotations"] |= annotations
    public = uploads.moved_program(body, public=True, namespace="lab")
    assert public["kind"] == "ClusterRuntimeProgram"
    assert public["spec"] == body["spec"]
    assert public["metadata"].keys() == {"name", "labels", "annotations"}
    assert public["metadata"]["annotations"].keys() == {"mine", "quantumruntime.dev/metadata"}
    assert not list(crd.problems("clusterruntimeprograms", public))
    private = uploads.moved_program(public, public=False, namespace="other")
    assert private["kind"] == "RuntimeProgram"
    assert private["metadata"] == public["metadata"] | {"namespace": "other"}


def test_what_the_file_said_of_its_visibility_does_not_contradict_the_new_one() -> None:
    body = upload(metadata=METADATA | {"is_public": False})
    public = uploads.moved_program(body, public=True, namespace="lab")
    assert "is_public" not in json.dumps(public["metadata"])


def test_a_source_in_a_config_map_cannot_be_made_public() -> None:
    body = upload(metadata=METADATA)
    body["spec"]["source"] = {"configMapRef": {"name": "sources"}}
    with pytest.raises(IBMInputValueError, match="cannot be made public, its source is in the ConfigMap 'sources'"):
        uploads.moved_program(body, public=True, namespace="lab")
