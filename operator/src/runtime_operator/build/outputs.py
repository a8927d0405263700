"""RuntimeJobOutput objects: what does not fit a job's status, in numbered chunks."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from runtime_runner.contract import digest

from runtime_operator.api import names
from runtime_operator.build.pod import owner_reference
from runtime_operator.observe.snapshots import OutputRef

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runtime_operator.observe.snapshots import StoredInterims

INTERIM_RESULTS = "InterimResults"

CHUNK_BYTES = 512 * 1024
"""Most bytes of text in one object: a third of what etcd takes by default."""

_ESCAPED_AS_SIX = bytes(range(32)).replace(b"\n", b"") + b"<>&"

ESCAPED_BYTES = 1024 * 1024
"""Most bytes of a text as the API server writes it to etcd: a control character or an angle bracket takes six."""


def output_chunks(
    content: str, text: str, *, namespace: str, job_name: str, job_uid: str
) -> tuple[list[dict[str, Any]], OutputRef]:
    """Return the objects that hold this text, and the reference to them.

    Args:
        content: ``Result`` or ``Logs``.
        text: the whole of it.
        namespace: the job's.
        job_name: the job, which owns the objects.
        job_uid: the job's uid.
    """
    pieces = list(_pieces(text))
    objects = [
        _chunk(
            {"content": content, "index": index, "count": len(pieces)},
            piece,
            name=names.child_name(job_uid, content, index),
            namespace=namespace,
            job_name=job_name,
            job_uid=job_uid,
        )
        for index, piece in enumerate(pieces)
    ]
    size, sha256 = digest(text)
    return objects, OutputRef(names=_names(objects), size=size, sha256=sha256)


def interim_chunks(
    text: str, before: StoredInterims, after: StoredInterims, *, namespace: str, job_name: str, job_uid: str
) -> tuple[list[dict[str, Any]], StoredInterims]:
    """Return the objects that hold the next interim results of a job, and where all of them are then.

    How many there will be nobody knows. Which ones are in a chunk is in its name, so that an operator that starts again
    never takes a chunk for another one.

    Args:
        text: the next ones, as JSON lines.
        before: what is stored.
        after: size and digest of the whole once this is stored, and the number of the last one.
        namespace: the job's.
        job_name: the job, which owns the objects.
        job_uid: the job's uid.
    """
    role = f"{INTERIM_RESULTS} {before.seq}-{after.seq}"
    objects = [
        _chunk(
            {"content": INTERIM_RESULTS, "index": len(before.names) + index},
            piece,
            name=names.child_name(job_uid, role, index),
            namespace=namespace,
            job_name=job_name,
            job_uid=job_uid,
        )
        for index, piece in enumerate(_pieces(text))
    ]
    return objects, dataclasses.replace(after, names=before.names + _names(objects))


def _chunk(
    position: dict[str, Any], text: str, *, name: str, namespace: str, job_name: str, job_uid: str
) -> dict[str, Any]:
    size, sha256 = digest(text)
    labels = {
        names.MANAGED_BY_LABEL: names.MANAGED_BY,
        names.JOB_NAME_LABEL: job_name,
        names.JOB_UID_LABEL: job_uid,
    }
    return {
        "apiVersion": names.API_VERSION,
        "kind": "RuntimeJobOutput",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": labels,
            "ownerReferences": [owner_reference(job_name, job_uid)],
        },
        "spec": {
            "jobName": job_name,
            "jobUid": job_uid,
            **position,
            "size": size,
            "sha256": sha256,
            "text": text,
        },
    }


def _names(objects: list[dict[str, Any]]) -> tuple[str, ...]:
    return tuple(body["metadata"]["name"] for body in objects)


def _pieces(text: str) -> Iterator[str]:
    """Cut the text where no character is split: nothing but its bytes joined gives it back."""
    raw = text.encode()
    start = 0
    while start < len(raw):
        end = min(start + CHUNK_BYTES, len(raw))
        while _escaped_size(raw[start:end]) > ESCAPED_BYTES:
            end = start + (end - start) // 2
        while end < len(raw) and raw[end] & 0xC0 == 0x80:
            end -= 1
        yield raw[start:end].decode()
        start = end


def _escaped_size(raw: bytes) -> int:
    """Return how long this is as a JSON string in Go's spelling, which differs from ours for ``<``, ``>`` and ``&``."""
    plain = raw.translate(None, _ESCAPED_AS_SIX + b'"\\')
    short = raw.count(b'"') + raw.count(b"\\")
    return len(plain) + 2 * short + 6 * (len(raw) - len(plain) - short)
