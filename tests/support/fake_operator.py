"""What the operator does to a job, for tests of the client: `FakeApi` inherits these methods."""

from __future__ import annotations

import hashlib
import json
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from quantum_runtime.cluster.api import JOBS, OUTPUTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from quantum_runtime.cluster.api import Object, Resource

START = datetime(2026, 1, 1, tzinfo=UTC)

INLINE_BYTES = 64 * 1024
"""Largest result that stays in the status."""
TAIL_BYTES = 16 * 1024
"""How much of the log the status shows."""
CHUNK_BYTES = 512 * 1024
"""Most text in one RuntimeJobOutput."""


class FakeOperator:
    """Plays one job's life, step by step; every step is one write of its status."""

    def __init__(self) -> None:
        self.now = START
        """The time on the cluster; every object that is made, and every step here, is a second later than the last."""
        self.lock = threading.RLock()
        self._interims: dict[str, list[Object]] = {}
        self._stored: dict[str, int] = {}
        self._logs: dict[str, str] = {}

    def tick(self, seconds: float = 1.0) -> str:
        """Move the cluster's time, and return it as the API writes it."""
        self.now += timedelta(seconds=seconds)
        return self.now.strftime("%Y-%m-%dT%H:%M:%SZ")

    def set_status(self, name: str, **fields: Any) -> Object:
        """Replace these members of a job's status; None removes one."""
        with self.lock:
            job = self.object(JOBS, name)
            status = {**job.get("status", {}), **fields}
            return self.put(JOBS, {**job, "status": {key: value for key, value in status.items() if value is not None}})

    def wait_for(self, name: str, reason: str, message: str) -> Object:
        """Say what a queued job waits for."""
        return self.set_status(name, phase="Queued", conditions=self._conditions("Unknown", reason, message))

    def start_job(self, name: str) -> Object:
        """Have the program entered."""
        job = self.object(JOBS, name)
        spec, time = job["spec"], self.tick()
        return self.set_status(
            name,
            phase="Running",
            startTime=time,
            queuedSeconds=1.5,
            program={**spec["programRef"], "digest": f"sha256:{hashlib.sha256(b'').hexdigest()}"},
            backend={"name": spec.get("backend", "aer")},
            runner={"pod": f"{name}-runner", "uid": f"pod-of-{name}", "node": "node-1", "path": "warm"},
            conditions=self._conditions("Unknown", "Running", "the program runs"),
        )

    def publish(self, name: str, *texts: str, latest: int = 20) -> Object:
        """Have the program publish these JSON texts: the newest stay in the status, others wait for `spill`."""
        kept = self._interims.setdefault(self._uid(name), [])
        for text in texts:
            kept.append({"seq": 3 + 2 * len(kept), "time": self.tick(), "value": text})
        there = self.object(JOBS, name)["status"].get("interimResults", {})
        pushed_out = there.get("published", 0) - len(there.get("latest", ()))  # those do not come back
        newest = kept[max(pushed_out, len(kept) - latest) :]
        return self.set_status(name, interimResults={**there, "published": len(kept), "dropped": 0, "latest": newest})

    def spill(self, name: str, *, everything: bool = False, chunk_bytes: int = CHUNK_BYTES) -> Object:
        """Store interim results that were pushed out of the status (or ``everything``), and say so in the status."""
        uid, interims = self._uid(name), self.object(JOBS, name)["status"]["interimResults"]
        kept, stored = self._interims[uid], self._stored.get(uid, 0)
        end = len(kept) if everything else max(stored, len(kept) - len(interims["latest"]))
        ref = interims.get("ref", {"names": []})
        added = self._store_text(
            name, "InterimResults", _lines(kept[stored:end]), start=len(ref["names"]), chunk_bytes=chunk_bytes
        )
        self._stored[uid] = end
        ref = {"names": [*ref["names"], *added], **_digest(_lines(kept[:end]))}
        return self.set_status(name, interimResults={**interims, "ref": ref})

    def log(self, name: str, text: str) -> Object:
        """Have the program write this."""
        uid = self._uid(name)
        whole = self._logs[uid] = self._logs.get(uid, "") + text
        size = len(whole.encode())
        tail = whole.encode()[-TAIL_BYTES:].decode(errors="ignore")
        return self.set_status(name, logs={"tail": tail, "bytes": size, "truncated": size > TAIL_BYTES})

    def finish(
        self, name: str, result_text: str | None = "null", *, stored: bool = True, inline_bytes: int = INLINE_BYTES
    ) -> Object:
        """Have the program return: a larger result than ``inline_bytes`` goes into RuntimeJobOutputs.

        Args:
            name: The job's.
            result_text: JSON text; None for a job without a result.
            stored: Whether interim results and logs that the status has no room for are stored.
            inline_bytes: How large a result may be in the status.
        """
        result: dict[str, Any] = {}
        if result_text is not None and len(result_text.encode()) > inline_bytes:
            names = self._store_text(name, "Result", result_text)
            result = {"resultRef": {"names": names, **_digest(result_text)}}
        elif result_text is not None:
            result = {"result": result_text}
        return self._end(name, "Completed", "True", "Completed", "the program has returned", stored=stored, **result)

    def fail_job(
        self, name: str, reason: str, message: str, traceback: str = "", *, stored: bool = True, **status: Any
    ) -> Object:
        """Have the job fail."""
        failure = {"reason": reason, "message": message} | ({"traceback": traceback} if traceback else {})
        return self._end(name, "Failed", "False", reason, message, stored=stored, failure=failure, **status)

    def cancel_job(self, name: str, message: str = "the job was cancelled") -> Object:
        """Have the job be cancelled, as its spec asks for."""
        failure = {"reason": "Cancelled", "message": message}
        return self._end(name, "Cancelled", "False", "Cancelled", message, stored=True, failure=failure)

    def _end(
        self, name: str, phase: str, succeeded: str, reason: str, message: str, *, stored: bool, **status: Any
    ) -> Object:
        """Write the last status, and before it what it has no room for."""
        if stored:
            now = self.object(JOBS, name).get("status", {})
            interims = now.get("interimResults")
            if interims and ("ref" in interims or interims["published"] > len(interims["latest"])):
                before = self.spill(name, everything=True)["status"]["interimResults"]
                status["interimResults"] = before
            if now.get("logs", {}).get("truncated"):
                whole = self._logs[self._uid(name)]
                names = self._store_text(name, "Logs", whole)
                status["logs"] = {**now["logs"], "ref": {"names": names, **_digest(whole)}}
        conditions = self._conditions(succeeded, reason, message)
        return self.set_status(
            name, phase=phase, completionTime=self.tick(), executionSeconds=2.5, conditions=conditions, **status
        )

    def _conditions(self, succeeded: str, reason: str, message: str) -> list[Object]:
        condition = {"type": "Succeeded", "status": succeeded, "reason": reason, "message": message}
        return [{**condition, "lastTransitionTime": self.tick(0)}]

    def _uid(self, name: str) -> str:
        uid: str = self.object(JOBS, name)["metadata"]["uid"]
        return uid

    def _store_text(
        self, name: str, content: str, text: str, *, start: int = 0, chunk_bytes: int = CHUNK_BYTES
    ) -> list[str]:
        """Make the RuntimeJobOutputs of a text, numbered from ``start``, and return their names."""
        uid, names = self._uid(name), []
        pieces = list(_pieces(text, chunk_bytes))
        for index, piece in enumerate(pieces, start):
            chunk = f"rtj-{hashlib.sha256(f'{uid}/{content}/{index}'.encode()).hexdigest()[:20]}"
            owner = {"apiVersion": "quantumruntime.dev/v1alpha1", "kind": "RuntimeJob", "name": name, "uid": uid}
            spec = {"jobName": name, "jobUid": uid, "content": content, "index": index, "count": start + len(pieces)}
            metadata = {"name": chunk, "ownerReferences": [owner]}
            self.put(OUTPUTS, {"metadata": metadata, "spec": {**spec, **_digest(piece), "text": piece}})
            names.append(chunk)
        return names

    # What FakeApi has

    def object(self, resource: Resource, name: str) -> Object:
        raise NotImplementedError

    def put(self, resource: Resource, body: Mapping[str, Any]) -> Object:
        raise NotImplementedError


def _lines(interims: list[Object]) -> str:
    return "".join(json.dumps(entry, separators=(",", ":")) + "\n" for entry in interims)


def _digest(text: str) -> Object:
    return {"size": len(text.encode()), "sha256": hashlib.sha256(text.encode()).hexdigest()}


def _pieces(text: str, size: int) -> Iterator[str]:
    """Cut between characters."""
    raw, start = text.encode(), 0
    while start < len(raw):
        end = min(start + size, len(raw))
        while end < len(raw) and raw[end] & 0xC0 == 0x80:
            end -= 1
        yield raw[start:end].decode()
        start = end
