"""The cluster as its users see it: objects as plain dicts, and watches instead of waiting loops."""

from __future__ import annotations

import itertools
import json
import math
import subprocess
import threading
import time
import uuid
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import urllib3
import yaml
from kubernetes import config

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

Object = dict[str, Any]

SYSTEM = "quantum-runtime-system"
API = "/apis/quantumruntime.dev/v1alpha1"
TERMINAL = ("Completed", "Failed", "Cancelled")
TURN_SECONDS = 10.0
RUNNERS = "quantumruntime.dev/role=runner"


class Refused(Exception):  # noqa: N818 - an answer, not a mistake
    """The API server's answer to a request it did not like; the text is what a user would read."""

    def __init__(self, status: int, body: bytes) -> None:
        self.status = status
        try:
            self.message = str(json.loads(body)["message"])
        except (ValueError, KeyError, TypeError):
            self.message = body.decode(errors="replace")
        super().__init__(f"{status}: {self.message}")


class Cluster:
    """The API server behind a kubeconfig, as the cluster's administrator."""

    def __init__(self, kubeconfig: Path) -> None:
        self.kubeconfig = kubeconfig
        self.settings = config.new_client_from_config(str(kubeconfig)).configuration
        self._http = urllib3.PoolManager(
            ca_certs=self.settings.ssl_ca_cert,
            cert_file=self.settings.cert_file,
            key_file=self.settings.key_file,
            retries=False,
            maxsize=40,
        )

    def request(self, method: str, path: str, body: Object | None = None, /, **query: str) -> Object:
        """Return the answer to one request.

        Raises:
            Refused: it was anything but a success.
        """
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        answer: Object = json.loads(self._call(method, path, kind, body, query).read())
        return answer

    def get(self, path: str) -> Object | None:
        """Return the object there, or None."""
        try:
            return self.request("GET", path)
        except Refused as refused:
            if refused.status == 404:
                return None
            raise

    def watch(self, path: str, *, seconds: float, **query: str) -> Iterator[tuple[str, Object]]:
        """Yield what is there and what changes, for so long.

        In short turns: a watch may stay silent for ever if its kind's definition is written while it is open.
        """
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            yield from self.changes(path, seconds=min(left, TURN_SECONDS), **query)

    def changes(self, path: str, *, seconds: float, **query: str) -> Iterator[tuple[str, Object]]:
        """Yield what one watch brings; without a resourceVersion, what is there comes first.

        Raises:
            Refused: the resource version is too old.
        """
        turn = math.ceil(seconds)
        query |= {"watch": "true", "timeoutSeconds": str(turn)}
        response = self._call("GET", path, "application/json", None, query, timeout=turn + 5)
        try:
            for line in _lines(response):
                event = json.loads(line)
                if event["type"] == "ERROR":
                    raise Refused(event["object"]["code"], json.dumps(event["object"]).encode())
                yield event["type"], event["object"]
        finally:
            response.close()

    def wait(
        self, path: str, until: Callable[[str, Object], bool], what: str, *, seconds: float, **query: str
    ) -> Object:
        """Return the first state for which this is true; fails with the last one seen if it never is."""
        last: Object = {}
        for kind, body in self.watch(path, seconds=seconds, **query):
            if until(kind, body):
                return body
            last = body
        shown = yaml.safe_dump({key: last.get(key) for key in ("spec", "status")}, allow_unicode=True)
        raise AssertionError(f"{what}: not within {seconds:g} s; last seen of {path}:\n{shown[:4000]}")

    def wait_until_none(self, path: str, *, seconds: float = 30, **query: str) -> None:
        """Return when there is no such object (any more); fails if that takes longer."""
        end = time.monotonic() + seconds
        while True:
            answer = self.request("GET", path, None, **query)
            left = end - time.monotonic()
            if not answer["items"]:
                return
            assert left > 0, f"still there after {seconds:g} s: {[o['metadata']['name'] for o in answer['items']]}"
            since = {**query, "resourceVersion": answer["metadata"]["resourceVersion"]}
            for kind, _ in self.changes(path, seconds=min(left, TURN_SECONDS), **since):
                if kind == "DELETED":
                    break

    def kubectl(
        self, *arguments: str, stdin: str | None = None, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run kubectl as a user would; its output is text, colours and all."""
        done = subprocess.run(
            ["kubectl", "--kubeconfig", str(self.kubeconfig), *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        if check:
            assert done.returncode == 0, f"kubectl {' '.join(arguments)}: {done.stderr}"
        return done

    def namespace(self, purpose: str) -> Space:
        """Return a new namespace for jobs, as the chart would make it."""
        labels = {"pod-security.kubernetes.io/enforce": "restricted", "quantumruntime.dev/e2e": "true"}
        body = {"metadata": {"generateName": f"e2e-{purpose}-", "labels": labels}}
        space = Space(self, self.request("POST", "/api/v1/namespaces", body)["metadata"]["name"])
        space.pods.start()
        space.jobs.start()
        return space

    def _call(
        self, method: str, path: str, kind: str, body: Object | None, query: dict[str, str], timeout: float = 60
    ) -> Any:
        headers = {"Accept": "application/json", "Content-Type": kind}
        response = self._http.request(
            method,
            f"{self.settings.host}{path}?{urlencode(query)}",
            body=None if body is None else json.dumps(body).encode(),
            headers=headers,
            timeout=timeout,
            preload_content=False,
        )
        if response.status >= 300:
            raise Refused(response.status, response.read())
        return response


@dataclass(frozen=True)
class Space:
    """One namespace."""

    cluster: Cluster
    name: str
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    @cached_property
    def pods(self) -> Recorder:
        """Everything that ever happened to runner pods here."""
        return Recorder(self.cluster, self.path("pods"), labelSelector=RUNNERS)

    @cached_property
    def jobs(self) -> Recorder:
        """Everything that ever happened to jobs here."""
        return Recorder(self.cluster, self.path("runtimejobs"))

    def path(self, plural: str, name: str = "", subresource: str = "") -> str:
        """Return the path of a collection or object in this namespace."""
        ours = plural.startswith(("runtime", "runner"))
        root = {"networkpolicies": "/apis/networking.k8s.io/v1"}.get(plural, API if ours else "/api/v1")
        return "/".join(filter(None, (f"{root}/namespaces/{self.name}/{plural}", name, subresource)))

    def create(self, plural: str, body: Object) -> Object:
        """Create an object, strictly: unknown fields are refused."""
        return self.cluster.request("POST", self.path(plural), body, fieldValidation="Strict")

    def patch(self, plural: str, name: str, body: Object) -> Object:
        """Merge this into an object."""
        return self.cluster.request("PATCH", self.path(plural, name), body)

    def delete(self, plural: str, name: str) -> None:
        """Delete an object, as kubectl does: with everything it owns, in the background."""
        body = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"}
        self.cluster.request("DELETE", self.path(plural, name), body)

    def list(self, plural: str, **query: str) -> list[Object]:
        """Return the objects there are."""
        items: list[Object] = self.cluster.request("GET", self.path(plural), None, **query)["items"]
        return items

    def program(self, source: str | Object, *, name: str = "", **spec: Any) -> str:
        """Create a program from its text, or from a whole ``source``; return its name."""
        name = name or f"program-{next(self._numbers)}"
        spec = {
            "maxExecutionTimeSeconds": 60,
            "source": {"inline": source} if isinstance(source, str) else source,
            **spec,
        }
        self.create("runtimeprograms", _object("RuntimeProgram", name, spec))
        return name

    def job(self, program: str, *, name: str = "", **spec: Any) -> Job:
        """Create a job of this program."""
        job = Job(self, name or f"job-{uuid.uuid4().hex[:8]}")
        self.create("runtimejobs", _object("RuntimeJob", job.name, {"programRef": {"name": program}, **spec}))
        return job

    def run(self, source: str, *, profile: str = "default", name: str = "", **spec: Any) -> Job:
        """Create a program and a job of it."""
        return self.job(self.program(source, profile=profile), name=name, **spec)

    def kubectl(self, *arguments: str, stdin: str | None = None, check: bool = True) -> str:
        """Run kubectl in this namespace; return what it says."""
        done = self.cluster.kubectl("--namespace", self.name, *arguments, stdin=stdin, check=check)
        return done.stdout + done.stderr

    def remove(self) -> None:
        """Have the namespace deleted; nobody waits for it."""
        self.pods.stop()
        self.jobs.stop()
        self.cluster.request("DELETE", f"/api/v1/namespaces/{self.name}")


class Recorder(threading.Thread):
    """Writes down everything that happens to the objects of one collection."""

    def __init__(self, cluster: Cluster, path: str, **query: str) -> None:
        super().__init__(name=f"recorder of {path}", daemon=True)
        self._cluster, self._path, self._query = cluster, path, query
        self._version: str = cluster.request("GET", path, None, **query)["metadata"]["resourceVersion"]
        self._events: list[tuple[str, Object]] = []
        self._heard = threading.Condition()
        self._stopped = False
        self._error = ""

    def run(self) -> None:
        """Record until stopped, over as many watches as it takes."""
        while not self._stopped:
            query = {**self._query, "resourceVersion": self._version}
            try:
                for kind, body in self._cluster.changes(self._path, seconds=TURN_SECONDS, **query):
                    with self._heard:
                        self._version = body["metadata"]["resourceVersion"]
                        self._events.append((kind, body))
                        self._heard.notify_all()
            except Exception as error:
                with self._heard:
                    self._error, self._stopped = f"{type(error).__name__}: {error}", True
                    self._heard.notify_all()

    def stop(self) -> None:
        """Have it end with its present watch."""
        self._stopped = True

    def history(self) -> list[tuple[str, Object]]:
        """Return all that has happened up to now."""
        now = self._cluster.request("GET", self._path, None, **self._query)["items"]
        newest = max((int(body["metadata"]["resourceVersion"]) for body in now), default=0)
        with self._heard:
            heard = self._heard.wait_for(lambda: self._error or int(self._version) >= newest, timeout=15)
            assert heard, f"{self.name} has not heard of version {newest}"
            assert not self._error, f"{self.name}: {self._error}"
            return list(self._events)


@dataclass(frozen=True)
class Job:
    """One RuntimeJob."""

    space: Space
    name: str

    @property
    def path(self) -> str:
        """Where it is."""
        return self.space.path("runtimejobs", self.name)

    def read(self) -> Object:
        """Return it as it is now."""
        return self.space.cluster.request("GET", self.path)

    def wait(self, until: Callable[[Object], bool], what: str, *, seconds: float = 60) -> Object:
        """Return the job once this is true of its status; a job that ends before that can no longer become so."""

        def reached(kind: str, body: Object) -> bool:
            assert kind != "DELETED", f"{self.name}: deleted before {what}"
            status = body.get("status", {})
            if until(status):
                return True
            assert status.get("phase") not in TERMINAL, (
                f"{self.name} ended before {what}:\n{yaml.safe_dump(status, allow_unicode=True)[:4000]}"
            )
            return False

        where, only = self.space.path("runtimejobs"), f"metadata.name={self.name}"
        return self.space.cluster.wait(where, reached, what, seconds=seconds, fieldSelector=only)

    def ended(self, *, seconds: float = 60) -> Object:
        """Return the job's status when it has ended, in whatever way."""
        body = self.wait(lambda status: status.get("phase") in TERMINAL, "its end", seconds=seconds)
        status: Object = body["status"]
        return status

    def running(self) -> Object:
        """Return the job's status once its program has been entered."""
        status: Object = self.wait(lambda status: "startTime" in status, "its program was entered")["status"]
        return status

    def waiting(self, reason: str, *, seconds: float = 60) -> str:
        """Return what the job says it waits for, once it waits for this reason."""

        def waits(status: Object) -> bool:
            return status.get("phase") == "Queued" and condition(status, "Reconciling").get("reason") == reason

        body = self.wait(waits, f"waiting for {reason}", seconds=seconds)
        message: str = condition(body["status"], "Reconciling")["message"]
        return message

    def patch(self, **spec: Any) -> None:
        """Change what may be changed of a job."""
        self.space.patch("runtimejobs", self.name, {"spec": spec})

    def live_pods(self) -> list[Object]:
        """Return its pods that still exist."""
        return self.space.list("pods", labelSelector=f"quantumruntime.dev/job-name={self.name}")

    def gone(self, *, seconds: float = 30) -> None:
        """Return when the job no longer exists."""
        where, only = self.space.path("runtimejobs"), f"metadata.name={self.name}"
        self.space.cluster.wait_until_none(where, seconds=seconds, fieldSelector=only)

    def without_pods(self, *, seconds: float = 30) -> None:
        """Return when none of its pods exists any more."""
        where, only = self.space.path("pods"), f"quantumruntime.dev/job-name={self.name}"
        self.space.cluster.wait_until_none(where, seconds=seconds, labelSelector=only)

    def pods_ever(self) -> list[Object]:
        """Return all pods there ever were for it, gone or not, each as it was last."""
        last = {
            body["metadata"]["uid"]: body
            for _, body in self.space.pods.history()
            if body["metadata"]["labels"].get("quantumruntime.dev/job-name") == self.name
        }
        return list(last.values())

    def states(self) -> list[Object]:
        """Return every status it has had, from its creation on."""
        every = self.space.jobs.history()
        return [body.get("status", {}) for _, body in every if body["metadata"]["name"] == self.name]

    def phases(self) -> list[str]:
        """Return the phases it has been in, without repetition."""
        return [phase for phase, _ in itertools.groupby(status.get("phase", "") for status in self.states())]

    def output(self, ref: Object) -> str:
        """Return the text that a reference in the status stands for."""
        get = self.space.cluster.request
        return "".join(get("GET", self.space.path("runtimejoboutputs", name))["spec"]["text"] for name in ref["names"])


def condition(status: Object, kind: str) -> Object:
    """Return this condition of a status; empty if it has none."""
    found: Object = next((c for c in status.get("conditions", []) if c["type"] == kind), {})
    return found


def _lines(response: Any) -> Iterator[bytes]:
    rest = b""
    for piece in response.read_chunked():
        *lines, rest = (rest + piece).split(b"\n")
        yield from lines


def _object(kind: str, name: str, spec: Object) -> Object:
    return {"apiVersion": "quantumruntime.dev/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec}
