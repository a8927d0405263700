"""The floor's process: ``python -m bench.floor NAMESPACE PROFILE``."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import aiohttp
from runtime_operator.api import names
from runtime_operator.config import Profile
from runtime_operator.kube.client import PODS
from runtime_operator.kube.errors import Conflict, KubeError
from runtime_operator.kube.http import MERGE_PATCH, HttpKube
from runtime_runner import contract

from bench import bare, cluster, program
from bench.floor import FLOOR_JOBS, GROUP, JOB_LABEL, VERSION

if TYPE_CHECKING:
    from runtime_operator.kube.attach import Attachment
    from runtime_operator.kube.client import Object

LABEL = {"bench": "floor"}
FIRST_WATCH_SECONDS, WATCH_SECONDS, PAUSE_SECONDS = 2, 1800, 0.1
STARTING = 4
"""Pods started at the same time."""


@dataclass(frozen=True)
class ReadyPod:
    """A pod whose runner waits for a job."""

    metadata: Object
    stream: Attachment


class Floor:
    """The operator that is none."""

    def __init__(self, session: aiohttp.ClientSession, namespace: str, profile: Profile) -> None:
        self._session, self._kube = session, HttpKube(session)
        self._namespace, self._profile = namespace, profile
        self._pool: asyncio.Queue[ReadyPod] = asyncio.Queue()
        self._made = 0
        self._serving: set[asyncio.Task[None]] = set()
        self._used: list[ReadyPod] = []

    async def follow(self) -> None:
        """Serve every job, each once.

        A watch that is opened right after its kind was defined may be closed, fail, or stay silent. So until one has
        shown a job, another is opened every few seconds; each begins with the jobs that are there.
        """
        served: set[str] = set()
        seconds = FIRST_WATCH_SECONDS
        path, unlimited = FLOOR_JOBS.path(self._namespace), aiohttp.ClientTimeout(total=None)
        while True:
            query = {"watch": "true", "timeoutSeconds": str(seconds)}
            with contextlib.suppress(aiohttp.ClientError):
                async with self._session.get(path, params=query, timeout=unlimited) as answer:
                    async for line in answer.content:
                        event = json.loads(line)
                        if event.get("type") != "ADDED":
                            continue
                        seconds, job = WATCH_SECONDS, event["object"]["metadata"]
                        if job["uid"] not in served:
                            served.add(job["uid"])
                            task = asyncio.create_task(self._serve_or_say_why_not(job))
                            self._serving.add(task)
                            task.add_done_callback(self._serving.discard)
            await asyncio.sleep(PAUSE_SECONDS)

    async def fill(self, pods: int) -> None:
        """Remove the pods that were used, and have so many ready."""
        for used in self._used:
            await used.stream.close()
            await self._delete(used.metadata)
        self._used.clear()
        slots = asyncio.Semaphore(STARTING)
        missing = range(max(0, pods - self._pool.qsize()))
        for started in await asyncio.gather(*(self._start(slots) for _ in missing)):
            self._pool.put_nowait(started)
        await asyncio.sleep(1)  # the kubelet may have a last word on the newest
        for _ in range(self._pool.qsize()):
            pod = self._pool.get_nowait()
            metadata = await self._read(pod.metadata["name"])
            self._pool.put_nowait(ReadyPod(metadata["metadata"], pod.stream))

    async def _serve_or_say_why_not(self, job: Object) -> None:
        try:
            await self._serve(job)
        except (RuntimeError, KubeError) as error:
            failed = {"status": {"phase": "Failed", "message": str(error)}}
            await self._patch(FLOOR_JOBS.path(self._namespace, job["name"], "status"), failed)

    async def _serve(self, job: Object) -> None:
        pod = await self._pool.get()
        owner = {"apiVersion": f"{GROUP}/{VERSION}", "kind": "FloorJob", "name": job["name"], "uid": job["uid"]}
        claim: Object = {
            "metadata": {
                "resourceVersion": pod.metadata["resourceVersion"],
                "uid": pod.metadata["uid"],
                "ownerReferences": [{**owner, "controller": True}],
                "labels": {JOB_LABEL: job["name"]},
            },
            "spec": {"activeDeadlineSeconds": 1800},
        }
        try:
            await self._patch(PODS.path(self._namespace, pod.metadata["name"]), claim)
        except Conflict:  # the kubelet has written, too: rare, and no design can avoid it
            newest = await self._read(pod.metadata["name"])
            claim["metadata"]["resourceVersion"] = newest["metadata"]["resourceVersion"]
            await self._patch(PODS.path(self._namespace, pod.metadata["name"]), claim)
        await pod.stream.send(contract.encode(_request(job)))
        entered = ""
        async for line in pod.stream.lines():
            event = contract.parse_event(line)
            if isinstance(event, contract.Interim):
                entered = event.value
            elif isinstance(event, contract.Result):
                done = {"status": {"phase": "Completed", "entered": entered, "result": event.text}}
                await self._patch(FLOOR_JOBS.path(self._namespace, job["name"], "status"), done)
                self._used.append(pod)
                return
            elif isinstance(event, contract.Failed | contract.Refused):
                raise RuntimeError(event.message)
        raise RuntimeError(f"pod {pod.metadata['name']} ended without a result")

    async def _patch(self, path: str, body: Object) -> None:
        headers = {"Content-Type": MERGE_PATCH}
        async with self._session.patch(path, data=json.dumps(body), headers=headers) as answer:
            if answer.status == 409:
                raise Conflict(await answer.text())
            if answer.status != 200:
                raise RuntimeError(f"{path}: {answer.status} {await answer.text()}")
            await answer.read()

    async def _start(self, slots: asyncio.Semaphore) -> ReadyPod:
        async with slots:
            name = f"floor-{self._made}"
            self._made += 1
            manifest = bare.manifest(name, self._namespace, self._profile)
            manifest["metadata"]["labels"] = LABEL
            await self._kube.create(PODS, self._namespace, manifest)
            while b'"kind":"ready"' not in (await self._log(name)):  # noqa: ASYNC110 - nothing is measured here
                await asyncio.sleep(cluster.POLL_SECONDS)
            stream = await self._kube.attach(self._namespace, name, names.RUNNER_CONTAINER)
            while not _is_ready(pod := await self._read(name)):  # noqa: ASYNC110 - nor here
                await asyncio.sleep(cluster.POLL_SECONDS)
            return ReadyPod(pod["metadata"], stream)

    async def _log(self, name: str) -> bytes:
        return await self._kube.pod_log(self._namespace, name, names.RUNNER_CONTAINER) or b""

    async def _read(self, name: str) -> Object:
        pod = await self._kube.get(PODS, self._namespace, name)
        assert pod is not None, name
        return pod

    async def _delete(self, metadata: Object) -> None:
        await self._kube.delete(PODS, self._namespace, metadata["name"], uid=metadata["uid"], grace_seconds=0)


def _is_ready(pod: Object) -> bool:
    conditions = pod["status"].get("conditions", ())
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def _request(job: Object) -> contract.Job:
    return contract.Job(
        job_uid=job["uid"],
        job_name=job["name"],
        attempt=0,
        files={"main.py": program.SOURCE},
        entrypoint="main.py",
        inputs={},
        backend_name="aer",
        backend={"aer": {}},
        limits=contract.Limits(execution_seconds=60.0),
    )


async def _run(namespace: str, settings: dict[str, Any]) -> None:
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    async with cluster.session() as session:
        floor = Floor(session, namespace, Profile.model_validate(settings))
        following = asyncio.create_task(floor.follow())
        while line := await reader.readline():
            await floor.fill(int(line))
            print("ready", flush=True)
        following.cancel()


if __name__ == "__main__":
    asyncio.run(_run(sys.argv[1], json.loads(sys.argv[2])))
