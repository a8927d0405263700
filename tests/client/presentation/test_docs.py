"""What docs/client.md, docs/migration.md and the notebook say, against the code: examples, names, rights; all links."""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from quantum_runtime import (
    RuntimeJob,
    RuntimeProgram,
    RuntimeService,
    exceptions,
    folder,
    ibm_runtime,
    ibmq,
    manifest,
    template,
)
from quantum_runtime.cluster import connection
from quantum_runtime.cluster.api import JOBS, PROGRAMS, PUBLIC_PROGRAMS
from support.fake_api import RBAC_VERBS, FakeApi

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from quantum_runtime.cluster.api import Object

ROOT = Path(__file__).parents[3]
CLIENT, MIGRATION = ROOT / "docs" / "client.md", ROOT / "docs" / "migration.md"
NOTEBOOK = ROOT / "docs" / "notebooks" / "provider-runtime.ipynb"
COUNTS = {"00000": 500, "00011": 524}


def play_operator(cluster: FakeApi) -> None:
    """Have every job of the public programs end at once, as those do."""

    def run(job: Object) -> None:
        name, spec = job["metadata"]["name"], job["spec"]
        if name not in {one["metadata"]["name"] for one in cluster.objects(JOBS)}:
            return  # a dry run
        if spec["inputs"].get("shots") == -1:
            cluster.fail_job(name, "InvalidInput", "spec.inputs.shots: expected at least 1 (minimum), given -1")
            return
        cluster.start_job(name)
        if spec["programRef"]["name"] == "sample-program":
            cluster.publish(name, *(json.dumps({"iteration": number, "counts": COUNTS}) for number in range(3)))
            cluster.finish(name, '"All done!"')
        else:
            cluster.publish(name, *(json.dumps([number, [0.1], -number / 2, 0.01]) for number in (1, 2, 3)))
            cluster.finish(name, json.dumps({"optimal_value": -1.5, "optimal_point": [0.1]}))

    cluster.react("create", JOBS, run)


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> FakeApi:
    """A cluster with the public programs, to which everything connects."""
    cluster = FakeApi("lab")
    for path in sorted((ROOT / "programs").glob("*/*.json")):
        cluster.put(PUBLIC_PROGRAMS, manifest.program_manifest(folder.read(path.parent), public=True))
    play_operator(cluster)

    async def connect(*_: Any, **__: Any) -> FakeApi:
        return cluster

    monkeypatch.setattr(connection, "connect", connect)
    return cluster


def blocks(page: Path, language: str = "python") -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)


def section(page: Path, title: str) -> str:
    found = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", page.read_text(), re.MULTILINE | re.DOTALL)
    assert found, title
    return found[1]


def table(text: str) -> list[list[str]]:
    """Return the rows of a table, without its head."""
    rows = [re.split(r"(?<!\\) ?\| ?", line)[1:-1] for line in text.splitlines() if line.startswith("|")]
    return rows[2:]


def code(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


@pytest.mark.aer
def test_the_examples_of_the_page_run_one_after_the_other(
    cluster: FakeApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "agg")
    template.write(tmp_path / "my_program", "my-program")
    names: dict[str, Any] = {"__name__": "docs"}
    for block in blocks(CLIENT):
        exec(compile(block, "docs/client.md", "exec", dont_inherit=True), names)
    said = capsys.readouterr().out
    assert said.startswith("All done!\n" + "=" * 50 + "\ncircuit-runner:\n  Name: circuit-runner")
    assert "\n-1.5\n{'optimal_value': -1.5" in said, "the decoder's result, then everything"
    assert "\nInvalidInput\n1 -0.5\n2 -1.0\n3 -1.5\n-1.5\n" in said, "the reason; then what the server prints"
    assert [3, -1.5] in [line.get_xydata()[-1].tolist() for line in names["ax"].lines]
    assert len(names["figure"].axes) == 1


def test_the_examples_of_the_migration_page_run(cluster: FakeApi, capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {"__name__": "docs"}
    for block in blocks(MIGRATION):
        exec(compile(block, "docs/migration.md", "exec", dont_inherit=True), names)
    assert names["IBMQ"] is ibmq.IBMQ
    assert names["QiskitRuntimeService"] is ibm_runtime.QiskitRuntimeService
    assert capsys.readouterr().out.startswith("{'optimal_value'")


# Names


def test_the_keywords_in_the_tables_are_arguments() -> None:
    run = inspect.signature(RuntimeService.run).parameters
    keywords = [name for row in table(section(CLIENT, "Run")) for name in code(row[0])]
    assert len(keywords) == 8
    assert set(keywords) <= set(run)
    connect = [code(row[0])[0] for row in table(section(CLIENT, "Connect"))]
    assert set(connect) | {"self", "api"} == set(inspect.signature(RuntimeService.__init__).parameters)
    (filters,) = re.findall(r"It filters by (.*?); `limit`", section(CLIENT, "Jobs"), re.DOTALL)
    assert set(code(filters)) <= set(inspect.signature(RuntimeService.jobs).parameters)


def test_what_a_job_can_do_it_can_do() -> None:
    named = [name for row in table(section(CLIENT, "Jobs")) for name in code(row[0])]
    assert len(named) >= 11
    for name in named:
        attribute = inspect.getattr_static(RuntimeJob, name.removesuffix("()"))
        assert callable(attribute) is name.endswith("()"), name


def test_the_exceptions_in_the_table_are_all_there_are_to_catch() -> None:
    named = {code(row[0])[0] for row in table(section(CLIENT, "When something goes wrong"))}
    bases = {"IBMError", "IBMRuntimeError", "QiskitRuntimeError", "IBMBackendError"}
    unused = {"IBMBackendApiError", "IBMBackendApiProtocolError"}
    assert named | bases | unused == {name for name in exceptions.__all__ if name[0].isupper()}


OWNERS = {
    "IBMQ": ibmq.IBMQFactory,
    "provider": ibmq.AccountProvider,
    "runtime": ibmq.IBMRuntimeService,
    "service": ibm_runtime.QiskitRuntimeService,
    "QiskitRuntimeService": ibm_runtime.QiskitRuntimeService,
    "job": RuntimeJob,
    "program": RuntimeProgram,
}


def calls(text: str) -> Iterator[tuple[str, str]]:
    """Yield what is called or asked for of what: ("job", "cancel") for `job.cancel()`."""
    for words in code(text):
        if found := re.match(r"(\w+)\.(\w+)", words):
            yield found[1], found[2]


def test_old_calls_that_are_said_to_work_exist() -> None:
    rows = table(section(MIGRATION, "qiskit-ibmq-provider")) + table(section(MIGRATION, "qiskit-ibm-runtime"))
    there = [call for old, _ in rows for call in calls(old)]
    assert len(there) > 35
    for owner, name in there:
        assert hasattr(OWNERS[owner], name), f"{owner}.{name}"


def test_what_is_said_not_to_exist_says_what_to_use() -> None:
    (row,) = [old for old, now in table(section(MIGRATION, "qiskit-ibm-runtime")) if now.startswith("not there")]
    for name in code(row):
        with pytest.raises(ImportError, match=f"there is no {name} here: "):
            getattr(ibm_runtime, name)


# Rights


def rights(text: str) -> set[tuple[str, str]]:
    """Return (verb, resource) of "get, list runtimejobs; create runtimeprograms"."""
    found = set()
    for part in re.sub(r"\(.*?\)", "", text).split(";"):
        words = re.findall(r"\w+", part)
        verbs = [word for word in words if not word.startswith(("runtime", "cluster"))]
        found |= {(verb, word) for word in words if word not in verbs for verb in verbs}
    return found


def _large_job(cluster: FakeApi, service: RuntimeService) -> str:
    """Return the name of a job whose results have no room in its status, and that still runs."""
    cluster.react("create", JOBS, lambda _: None)
    name = str(service.run("vqe", name="large").job_id)
    cluster.start_job(name)
    cluster.publish(name, *("1" for _ in range(30)))
    cluster.log(name, "x" * 20_000)
    cluster.requests.clear()
    return name


def _finish(cluster: FakeApi, name: str) -> None:
    cluster.finish(name, json.dumps("x" * 100_000))


def _use_result(cluster: FakeApi, service: RuntimeService) -> None:
    job = service.job(_large_job(cluster, service))
    states = job.states()
    next(states)
    _finish(cluster, job.job_id)
    cluster.expire()  # a server that does not remember is asked with a list
    assert list(states)[-1].phase == "Completed"
    assert len(list(job.stream())) == 30
    assert len(job.result()) == 100_000


def _use_interim_results(cluster: FakeApi, service: RuntimeService) -> None:
    name = _large_job(cluster, service)
    _finish(cluster, name)
    job = service.job(name)
    assert len(job.interim_results()) == 30
    assert len(job.logs()) == 20_000


def _cancel(cluster: FakeApi, service: RuntimeService) -> None:
    job = service.job(_large_job(cluster, service))
    cluster.requests.clear()
    job.update_tags(["thesis"])
    job.cancel()


def _delete_job(cluster: FakeApi, service: RuntimeService) -> None:
    service.delete_job(_large_job(cluster, service))


def _status(cluster: FakeApi, service: RuntimeService) -> None:
    service.job(_large_job(cluster, service)).status()


def _jobs(cluster: FakeApi, service: RuntimeService) -> None:
    name = _large_job(cluster, service)
    assert service.jobs()
    assert service.job_names() == [name]


def _run(cluster: FakeApi, service: RuntimeService) -> None:
    service.run("own")
    service.run("vqe")


def _check(cluster: FakeApi, service: RuntimeService) -> None:
    service.check("own", backend="aer")
    service.check("vqe", inputs={"shots": 10}, backend="aer")
    service.check_manifest(
        {
            "apiVersion": "quantumruntime.dev/v1alpha1",
            "kind": "RuntimeJob",
            "metadata": {"name": "new"},
            "spec": {"programRef": {"name": "own"}, "backend": "aer"},
        }
    )


def _backends(cluster: FakeApi, service: RuntimeService) -> None:
    service.backends()
    service.backend("aer")


def _upload(_: FakeApi, service: RuntimeService) -> None:
    metadata = {"name": "new", "max_execution_time": 60}
    service.upload_program(SOURCE, metadata)
    service.upload_program(SOURCE.replace("1", "2"), metadata, replace=True)


def _public(cluster: FakeApi, service: RuntimeService) -> None:
    service.upload_program(SOURCE, {"name": "new", "max_execution_time": 60, "is_public": True})
    service.update_program("new", description="Newer.")
    service.delete_program("new")


def _visibility(cluster: FakeApi, service: RuntimeService) -> None:
    service.set_program_visibility("own", public=True)
    service.set_program_visibility("own", public=False)


SOURCE = "def main(backend, user_messenger): return 1"
USES: dict[str, Callable[[FakeApi, RuntimeService], Any]] = {
    "programs": lambda _, service: service.programs(),
    "program": lambda _, service: (service.program("own"), service.program("vqe")),
    "upload_program": _upload,
    "update_program": lambda _, service: service.update_program("own", description="Newer."),
    "delete_program": lambda _, service: service.delete_program("own"),
    "the same three of a public program": _public,
    "set_program_visibility": _visibility,
    "run": _run,
    "check, check_manifest": _check,
    "job, status": _status,
    "jobs, job_names": _jobs,
    "result, callbacks, stream, states": _use_result,
    "interim_results, logs": _use_interim_results,
    "cancel, update_tags": _cancel,
    "delete_job": _delete_job,
    "backends, backend": _backends,
    "least_busy": lambda _, service: service.least_busy(),
}


def test_every_call_of_the_service_has_a_row_about_its_rights() -> None:
    rows = {row[0].replace("`", "") for row in table(section(CLIENT, "Rights"))}
    assert rows == set(USES)
    named = {name for row in rows for name in row.split(", ")}
    need_no_right = {"close", "namespace", "pprint_programs", "reach"}
    assert {name for name in vars(RuntimeService) if not name.startswith("_")} - need_no_right <= named


@pytest.mark.parametrize("row", table(section(CLIENT, "Rights")), ids=lambda row: row[0].replace("`", ""))
def test_a_call_asks_for_the_rights_it_is_said_to_need_and_no_others(cluster: FakeApi, row: list[str]) -> None:
    use = USES[row[0].replace("`", "")]
    own = folder.read(ROOT / "programs" / "hello_world")
    cluster.put(PROGRAMS, manifest.program_manifest(own, namespace="lab") | {"metadata": {"name": "own"}})
    service = RuntimeService()
    cluster.requests.clear()
    use(cluster, service)
    asked = {(RBAC_VERBS.get(verb, verb), plural) for verb, plural, _ in cluster.requests}
    said = rights(row[1])
    if "as `run`" in row[1]:
        said |= next(rights(other[1]) for other in table(section(CLIENT, "Rights")) if other[0] == "`run`")
    assert asked == {right for right in said if right[0] != "as"}


def test_the_role_of_each_row_has_its_rights() -> None:
    chart = (ROOT / "charts" / "quantum-runtime" / "templates" / "user-roles.yaml").read_text()
    roles: dict[str, set[tuple[str, str]]] = {}
    plain = re.sub(r"^ *\{\{.*\n", "", chart, flags=re.MULTILINE).replace("{{ $name }}", "qr")
    for document in yaml.safe_load_all(plain):
        if document["kind"] == "ClusterRole":
            roles[document["metadata"]["name"]] = {
                (verb, resource)
                for rule in document["rules"]
                for resource in rule["resources"]
                for verb in rule["verbs"]
            }
    everybody = roles["qr-catalogue"]
    granted = {
        "view": roles["qr-view"],
        "edit": roles["qr-edit"],
        "publish": roles["qr-publish"] | roles["qr-edit"],
        "edit and publish": roles["qr-publish"] | roles["qr-edit"],
        "everybody": everybody,
    }
    for call, needed, role in table(section(CLIENT, "Rights")):
        missing = {right for right in rights(needed) if right[0] not in ("as", "run")} - granted[role] - everybody
        assert not missing, call


# Links


def markdown(page: Path) -> str:
    if page.suffix != ".ipynb":
        return page.read_text()
    cells = json.loads(page.read_text())["cells"]
    return "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")


def anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.*)$", markdown(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title).lower().replace(" ", "-") for title in titles}


PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md")), NOTEBOOK]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    prose = re.sub(r"```.*?```|`[^`\n]*`", "code", markdown(page), flags=re.DOTALL)
    links = re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", prose)
    assert links or page not in (CLIENT, MIGRATION, NOTEBOOK)
    for path, anchor in links:
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), path
        assert not anchor or anchor in anchors(target), f"{path}#{anchor}"
