from __future__ import annotations

import asyncio
import gc
import json
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING, Any

import pytest
from quantum_runtime.cluster import errors
from quantum_runtime.cluster.api import BACKENDS, JOBS, Api, Change
from quantum_runtime.cluster.connection import connect
from support.api_server import fails, hangs_up, never_answers, says, streams

from .conftest import kubeconfig, writes

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from quantum_runtime.cluster.api import Object, Resource
    from quantum_runtime.cluster.http import HttpApi
    from support.api_server import ApiServer, Handler

    from .conftest import Certificate

JOBS_PATH = "/apis/quantumruntime.dev/v1alpha1/namespaces/team/runtimejobs"
BACKENDS_PATH = "/apis/quantumruntime.dev/v1alpha1/runtimebackends"
JOB: Object = {"metadata": {"name": "a", "uid": "u", "resourceVersion": "7"}}


def test_http_api_is_an_api(api: HttpApi) -> None:
    checked: Api = api
    assert checked is api


@pytest.mark.parametrize(
    ("request_", "method", "path", "query"),
    [
        (lambda api: api.get(JOBS, "a"), "GET", f"{JOBS_PATH}/a", {}),
        (lambda api: api.get(BACKENDS, "fake.b"), "GET", f"{BACKENDS_PATH}/fake.b", {}),
        (lambda api: api.create(JOBS, JOB), "POST", JOBS_PATH, {"fieldValidation": "Strict"}),
        (
            lambda api: api.create(JOBS, JOB, dry_run=True),
            "POST",
            JOBS_PATH,
            {"fieldValidation": "Strict", "dryRun": "All"},
        ),
        (lambda api: api.replace(JOBS, "a", JOB), "PUT", f"{JOBS_PATH}/a", {"fieldValidation": "Strict"}),
        (lambda api: api.patch(JOBS, "a", JOB), "PATCH", f"{JOBS_PATH}/a", {"fieldValidation": "Strict"}),
    ],
)
async def test_every_request_has_its_method_path_and_query(
    api: HttpApi,
    server: ApiServer,
    request_: Callable[[HttpApi], Awaitable[Object]],
    method: str,
    path: str,
    query: dict[str, str],
) -> None:
    server.answer(says(JOB))
    assert await request_(api) == JOB
    (received,) = server.received
    assert (received.method, received.path, received.query) == (method, path, query)
    assert received.headers["Accept"] == "application/json"
    assert received.headers["User-Agent"] == "quantum-runtime-client"
    assert received.headers["Authorization"] == "Bearer secret"
    kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
    assert received.body == (None if method == "GET" else JOB)
    assert received.headers["Content-Type"] == kind


async def test_a_deletion_is_guarded_and_takes_what_the_object_owns_with_it(api: HttpApi, server: ApiServer) -> None:
    server.answer(says({"kind": "Status", "status": "Success"}))
    await api.delete(JOBS, "a", uid="u")
    await api.delete(JOBS, "a")
    options = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"}
    assert [r.body for r in server.received] == [options | {"preconditions": {"uid": "u"}}, options]
    assert [(r.method, r.path) for r in server.received] == [("DELETE", f"{JOBS_PATH}/a")] * 2


@pytest.mark.parametrize("name", ["", ".", "..", "../secrets", "a/b", "a%2Fb", "a?b", "a#b", "a b"])
async def test_a_name_that_no_object_can_have_is_never_sent(api: HttpApi, server: ApiServer, name: str) -> None:
    for request in (
        api.get(JOBS, name),
        api.patch(JOBS, name, {}),
        api.replace(JOBS, name, {}),
        api.delete(JOBS, name),
    ):
        with pytest.raises(errors.Invalid, match="cannot be the name of an object"):
            await request
    assert server.received == []


async def test_a_list_is_read_page_by_page(api: HttpApi, server: ApiServer) -> None:
    server.answer(
        says({"metadata": {"resourceVersion": "9", "continue": "more/of+it"}, "items": [{"a": 1}, {"a": 2}]}),
        says({"metadata": {"resourceVersion": "9", "continue": ""}, "items": [{"a": 3}]}),
    )
    found = await api.list(JOBS, field_selector="status.phase=Running,spec.backend!=aer", label_selector="a in (b, c)")
    assert found.items == [{"a": 1}, {"a": 2}, {"a": 3}]
    assert found.resource_version == "9"
    selectors = {"fieldSelector": "status.phase=Running,spec.backend!=aer", "labelSelector": "a in (b, c)"}
    assert [r.query for r in server.received] == [
        {"limit": "500"} | selectors,
        {"limit": "500", "continue": "more/of+it"} | selectors,
    ]


async def test_a_list_that_is_empty_may_be_null(api: HttpApi, server: ApiServer) -> None:
    server.answer(says({"metadata": {"resourceVersion": "9"}, "items": None}))
    assert await api.list(BACKENDS) == ([], "9")
    assert server.received[0].path == BACKENDS_PATH


async def test_metadata_alone_is_asked_for_by_its_type(api: HttpApi, server: ApiServer) -> None:
    server.answer(says({"metadata": {"resourceVersion": "9"}, "items": []}))
    await api.list(JOBS, metadata_only=True)
    wanted = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
    assert server.received[0].headers["Accept"] == wanted


async def test_a_list_whose_pages_have_expired_says_so(api: HttpApi, server: ApiServer) -> None:
    first = says({"metadata": {"resourceVersion": "9", "continue": "more"}, "items": []})
    server.answer(first, fails(410, "Expired", "the continue token is too old"))
    with pytest.raises(errors.Expired, match="too old"):
        await api.list(JOBS)


async def test_an_answer_that_is_an_error_is_raised_with_the_servers_words(api: HttpApi, server: ApiServer) -> None:
    server.answer(fails(429, "TooManyRequests", "slowly", {"Retry-After": "3"}))
    with pytest.raises(errors.Unavailable, match="slowly") as refused:
        await api.get(JOBS, "a")
    assert refused.value.retry_after == 3
    assert len(server.received) == 1, "whether to repeat it is for the caller to say"


async def test_a_missing_kind_is_explained(api: HttpApi, server: ApiServer) -> None:
    server.answer(writes("404 page not found\n", 404))
    for request in (lambda: api.get(JOBS, "a"), lambda: anext(api.watch(JOBS, resource_version="1"))):
        with pytest.raises(errors.NotFound, match=r"runtimejobs of quantumruntime\.dev/v1alpha1") as refused:
            await request()
        assert refused.value.kind_is_missing


async def test_a_patch_of_another_object_of_the_name_is_a_conflict(api: HttpApi, server: ApiServer) -> None:
    server.answer(fails(422, "Invalid", "field is immutable", details={"causes": [{"field": "metadata.uid"}]}))
    with pytest.raises(errors.Conflict):
        await api.patch(JOBS, "a", {"metadata": {"uid": "v"}})
    with pytest.raises(errors.Invalid):
        await api.patch(JOBS, "a", {"metadata": {}})


@pytest.mark.parametrize("handler", [hangs_up, writes("<html>ok</html>"), writes('{"kind": ')])
async def test_no_answer_or_half_of_one_means_unavailable(api: HttpApi, server: ApiServer, handler: Handler) -> None:
    server.answer(handler)
    with pytest.raises(errors.Unavailable):
        await api.create(JOBS, JOB)


async def test_a_connection_that_goes_silent_counts_as_lost(server: ApiServer, tmp_path: Path) -> None:
    api = await connect("team", kubeconfig=kubeconfig(tmp_path / "config", server.url), silence_seconds=0.05)
    server.answer(streams(line("ADDED", "8"), then=never_answers))
    watch = api.watch(JOBS, resource_version="1")
    assert (await anext(watch)).type == "ADDED"
    with pytest.raises(errors.Unavailable, match="did not answer in time"):
        await anext(watch)
    with pytest.raises(errors.Unavailable, match="did not answer in time"):
        await api.get(JOBS, "a")
    await api.close()


@pytest.mark.parametrize("namespace", [".", "..", "a/b", "../.."])
async def test_a_namespace_that_there_cannot_be_is_never_sent(
    server: ApiServer, tmp_path: Path, namespace: str
) -> None:
    api = await connect(namespace, kubeconfig=kubeconfig(tmp_path / "config", server.url))
    with pytest.raises(errors.Invalid, match="cannot be the name of a namespace"):
        await api.list(JOBS)
    assert server.received == []


async def test_where_nobody_listens_is_no_connection(tmp_path: Path) -> None:
    api = await connect(kubeconfig=kubeconfig(tmp_path / "config", "http://127.0.0.1:9"))
    with pytest.raises(errors.Unavailable, match=r"no connection to the API server at 127\.0\.0\.1:9: .*failed"):
        await api.get(JOBS, "a")


def line(kind: str, version: str, **more: Any) -> bytes:
    return json.dumps({"type": kind, "object": {"metadata": {"resourceVersion": version}, **more}}).encode() + b"\n"


async def watched(api: HttpApi, resource: Resource = JOBS) -> list[Change]:
    return [change async for change in api.watch(resource, resource_version="7", field_selector="metadata.name=a")]


async def test_a_watch_yields_what_changes_until_the_server_ends_it(api: HttpApi, server: ApiServer) -> None:
    large = "x" * 1_500_000
    sent = line("ADDED", "8") + line("MODIFIED", "9", text=large) + line("BOOKMARK", "10") + line("DELETED", "11")
    server.answer(streams(*(sent[i : i + 100_000] for i in range(0, len(sent), 100_000))))
    seen = await watched(api)
    assert [(change.type, change.object["metadata"]["resourceVersion"]) for change in seen] == [
        ("ADDED", "8"),
        ("MODIFIED", "9"),
        ("BOOKMARK", "10"),
        ("DELETED", "11"),
    ]
    assert seen[1].object["text"] == large
    assert server.received[0].path == JOBS_PATH
    assert server.received[0].query == {
        "watch": "true",
        "allowWatchBookmarks": "true",
        "timeoutSeconds": "120",
        "resourceVersion": "7",
        "fieldSelector": "metadata.name=a",
    }


@pytest.mark.parametrize(
    ("handler", "expected"),
    [
        (fails(410, "Expired", "too old"), errors.Expired),
        (
            streams(b'{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired"}}\n', then=never_answers),
            errors.Expired,
        ),
        (streams(b'{"type":"ERROR","object":{"kind":"Status","code":500}}\n', then=never_answers), errors.Unavailable),
        (fails(403, "Forbidden", 'User "alice" cannot watch'), errors.Forbidden),
        (streams(b"this is not JSON\n", then=never_answers), errors.Unavailable),
        (hangs_up, errors.Unavailable),
        (streams(b'{"type":"ADD', then=hangs_up), errors.Unavailable),
    ],
)
async def test_a_watch_that_breaks_says_why(
    api: HttpApi, server: ApiServer, handler: Handler, expected: type[errors.ApiError]
) -> None:
    server.answer(handler)
    with pytest.raises(expected):
        await watched(api)


async def test_a_hundred_watches_leave_room_for_requests(api: HttpApi, server: ApiServer) -> None:
    server.answer(*[streams(line("ADDED", "8"), then=never_answers)] * 150, says(JOB))
    watches = [api.watch(JOBS, resource_version="7") for _ in range(150)]
    assert len(await asyncio.gather(*(anext(watch) for watch in watches))) == 150
    assert await api.get(JOBS, "a") == JOB
    for watch in watches:
        await watch.aclose()


async def test_after_close_nothing_is_sent(api: HttpApi, server: ApiServer) -> None:
    server.answer(says(JOB))
    await api.get(JOBS, "a")
    await api.close()
    await api.close()
    with pytest.raises(errors.ApiError, match="has been closed"):
        await api.get(JOBS, "a")
    assert len(server.received) == 1


async def test_an_api_that_nobody_has_any_more_closes_its_connections(
    server: ApiServer, tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    api = await connect(kubeconfig=kubeconfig(tmp_path / "config", server.url))
    server.answer(says(JOB))
    await api.get(JOBS, "a")
    (keeper,) = (task for task in asyncio.all_tasks() if task.get_name() == "connections to the cluster")
    del api
    gc.collect()
    await asyncio.wait([keeper])
    assert not [warning for warning in recwarn if "Unclosed" in str(warning.message)]


SCRIPT = """
import asyncio, sys
from quantum_runtime.cluster.api import JOBS
from quantum_runtime.cluster.connection import connect
from quantum_runtime.service.portal import Portal

async def use(api):
    found = await api.list(JOBS)
    watch = api.watch(JOBS, resource_version="7")
    await anext(watch)
    return watch

async def forget_to_close():
    api = await connect(kubeconfig=sys.argv[1])
    return api, await use(api)
"""


@pytest.mark.parametrize(
    "ending",
    [
        "kept = asyncio.run(forget_to_close())",
        "kept = Portal().call(forget_to_close())",
        "api, watch = asyncio.run(forget_to_close()); asyncio.run(use(api)); kept = Portal().call(use(api))",
    ],
    ids=["asynchronous", "synchronous", "one loop after the other"],
)
async def test_a_program_that_closes_nothing_ends_without_a_word(
    server: ApiServer, tmp_path: Path, certificate: Certificate, ending: str
) -> None:
    async def answer(request: Any) -> Any:
        streaming = streams(line("ADDED", "8"), then=never_answers)
        handler = streaming if "watch" in request.query else says({"metadata": {"resourceVersion": "7"}})
        return await handler(request)

    server.answer(answer)
    program = textwrap.dedent(SCRIPT) + ending
    async with certificate.serving(server) as url:
        config = kubeconfig(tmp_path / "config", url, cluster={"certificate-authority": str(certificate.file)})
        done = await asyncio.create_subprocess_exec(
            *(sys.executable, "-W", "always::ResourceWarning", "-c", program, str(config)),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        said, _ = await done.communicate()
    assert said.decode() == ""
    assert done.returncode == 0
