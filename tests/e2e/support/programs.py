"""The public programs on the cluster: published as a catalogue, run as jobs, their outcomes as on a laptop."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from e2e.support.cluster import condition
from quantum_runtime import outcome
from runtime_runner import encoding

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from e2e.support.cluster import Cluster, Job, Object, Space
    from quantum_runtime.backends import Backend
    from quantum_runtime.folder import ProgramFolder

PATIENCE_SECONDS = 120


def publish(cluster: Cluster, catalog: Path) -> str:
    """Apply a rendered catalogue as a GitOps tool does, server-side; return what kubectl says of each object."""
    return cluster.kubectl("apply", "--server-side", "--kustomize", str(catalog)).stdout


class OnTheCluster:
    """Runs programs of the catalogue: the counterpart of `quantum_runtime.local.run`."""

    def __init__(self, space: Space) -> None:
        self._space = space

    def __call__(self, program: ProgramFolder, inputs: Mapping[str, Any], backend: Backend | str) -> outcome.Outcome:
        """Run the program once, as a job."""
        tagged = json.loads(encoding.to_text(inputs, what="inputs"))
        ref = {"kind": "ClusterRuntimeProgram", "name": program.name}
        job = self._space.job("", programRef=ref, inputs=tagged, backend=str(backend))
        status = job.ended(seconds=PATIENCE_SECONDS)
        failure = status.get("failure", {})
        return outcome.Outcome(
            reason=failure.get("reason", outcome.COMPLETED),
            message=failure.get("message", ""),
            traceback=failure.get("traceback", ""),
            result_text=_text(job, status, "result"),
            interim_texts=tuple(_interims(job, status.get("interimResults", {}))),
            logs=_logs(job, status.get("logs", {})),
            seconds=status.get("executionSeconds", 0.0),
            warnings=tuple(c["message"] for c in [condition(status, "ResultsValid")] if c.get("status") == "False"),
        )


def _text(job: Job, status: Object, name: str) -> str | None:
    return job.output(status[f"{name}Ref"]) if f"{name}Ref" in status else status.get(name)


def _interims(job: Job, interims: Object) -> list[str]:
    every = interims.get("latest", [])
    if "ref" in interims:
        every = [json.loads(line) for line in job.output(interims["ref"]).splitlines()]
    return [interim["value"] for interim in every]


def _logs(job: Job, logs: Object) -> str:
    text: str = job.output(logs["ref"]) if "ref" in logs else logs.get("tail", "")
    return text
