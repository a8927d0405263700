"""Stores what a job's status is too small for, as RuntimeJobOutput objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from runtime_runner import contract

from runtime_operator.api import names
from runtime_operator.build.outputs import interim_chunks, output_chunks
from runtime_operator.kube.client import OUTPUTS, PODS
from runtime_operator.kube.errors import Unavailable
from runtime_operator.observe.snapshots import OutputRef, Outputs

if TYPE_CHECKING:
    from runtime_operator.decide.plan import StoreInterims, StoreOutputs
    from runtime_operator.kube.client import Kube
    from runtime_operator.observe.snapshots import StoredInterims

log = structlog.get_logger(__name__)


async def store_outputs(kube: Kube, wanted: StoreOutputs) -> Outputs:
    """Create the chunks and return where they are.

    The log comes whole from the pod's container log; if that is gone, what the status holds is all there is. Repeating
    it is safe: the same text makes the same chunks under the same names.

    Raises:
        KubeError: a chunk could not be written, or the log could not be read just now.
    """
    refs: dict[str, OutputRef] = {}
    if wanted.result is not None:
        refs["result"] = await _store(kube, wanted, "Result", wanted.result)
    if wanted.logs:
        journal = await kube.pod_log(wanted.namespace, wanted.pod, names.RUNNER_CONTAINER)
        if journal is None:
            if await _is_not_shown_yet(kube, wanted):
                raise Unavailable("the kubelet does not show the container yet")
            log.warning("container log is gone", job=f"{wanted.namespace}/{wanted.job_name}", pod=wanted.pod)
            return Outputs(**refs)
        if logs := _logs(journal):
            refs["logs"] = await _store(kube, wanted, "Logs", logs)
    return Outputs(**refs)


async def store_interims(kube: Kube, wanted: StoreInterims, text: str, told: StoredInterims) -> StoredInterims:
    """Create the chunks for the next interim results and return where all of them are.

    Args:
        kube: The API server.
        wanted: Whose, and what is stored.
        text: The next ones, as JSON lines.
        told: What is stored then, without names.

    Raises:
        KubeError: a chunk could not be written.
    """
    objects, stored = interim_chunks(
        text, wanted.stored, told, namespace=wanted.namespace, job_name=wanted.job_name, job_uid=wanted.job_uid
    )
    for body in objects:
        await kube.create(OUTPUTS, wanted.namespace, body)
    log.debug("interim results stored", job=f"{wanted.namespace}/{wanted.job_name}", through=stored.seq)
    return stored


async def _is_not_shown_yet(kube: Kube, wanted: StoreOutputs) -> bool:
    """Return whether the program was over before the kubelet's first look, up to a second after the start.

    Until then the API says that the container is waiting to start, and has no log.
    """
    pod = await kube.get(PODS, wanted.namespace, wanted.pod)
    return pod is not None and pod["metadata"]["uid"] == wanted.pod_uid and pod["status"]["phase"] == "Pending"


async def _store(kube: Kube, wanted: StoreOutputs, content: str, text: str) -> OutputRef:
    objects, ref = output_chunks(
        content, text, namespace=wanted.namespace, job_name=wanted.job_name, job_uid=wanted.job_uid
    )
    for body in objects:
        await kube.create(OUTPUTS, wanted.namespace, body)
    log.info("output stored", job=f"{wanted.namespace}/{wanted.job_name}", content=content, chunks=len(objects))
    return ref


def _logs(journal: bytes) -> str:
    """Return the whole log text of a journal."""
    logs, seen = [], 0
    for line in journal.splitlines():
        try:
            event = contract.parse_event(line)
        except contract.ProtocolError:
            continue
        if event.seq <= seen:
            continue
        if isinstance(event, contract.JournalEvent):
            seen = event.seq
        if isinstance(event, contract.Log):
            logs.append(event.text)
    return "".join(logs)
