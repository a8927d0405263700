"""Events that ``kubectl describe`` shows beside an object: a courtesy, so failing to write one stops nothing."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import structlog

from runtime_operator.api.conditions import format_time, shorten
from runtime_operator.kube import errors
from runtime_operator.kube.client import EVENTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from runtime_operator.kube.client import Kube, Object

log = structlog.get_logger(__name__)

COMPONENT = "quantum-runtime"
REPEAT_SECONDS = 600.0
"""The same sentence about the same object within this time is counted, not written again."""

EventType = Literal["Normal", "Warning"]


@dataclass(frozen=True, kw_only=True, slots=True)
class InvolvedObject:
    """What an event is about."""

    api_version: str
    kind: str
    namespace: str | None
    name: str
    uid: str


@dataclass(slots=True)
class _Written:
    name: str
    count: int
    last: float


class EventRecorder:
    """Writes events. Await `record`, or put it in a task of its own where the caller is in a hurry."""

    def __init__(self, kube: Kube, *, instance: str, now: Callable[[], float] = time.time) -> None:
        self._kube = kube
        self._instance = instance
        """Which operator process: the pod's name."""
        self._now = now
        self._written: dict[tuple[str, str, str], _Written] = {}
        """Oldest first, because a repetition moves its entry to the end."""

    async def record(self, involved: InvolvedObject, kind: EventType, reason: str, message: str) -> None:
        """Have the event written, or its count increased. Never raises `KubeError`."""
        message, now = shorten(message), self._now()
        self._forget_before(now - REPEAT_SECONDS)
        key = (involved.uid, reason, message)
        namespace = involved.namespace or "default"  # where events of cluster-wide objects go by convention
        try:
            written = self._written.pop(key, None)
            if written is not None:
                self._written[key] = written
                written.count, written.last = written.count + 1, now
                body: Object = {"count": written.count, "lastTimestamp": format_time(now)}
                if await self._kube.patch(EVENTS, namespace, written.name, body) is not None:
                    return
            event = _event(involved, kind, reason, message, now=now, instance=self._instance)
            self._written[key] = _Written(event["metadata"]["name"], 1, now)
            await self._kube.create(EVENTS, namespace, event)
        except errors.KubeError as error:
            self._written.pop(key, None)
            log.warning("event not written", event_reason=reason, object=involved.name, error=str(error))

    def _forget_before(self, limit: float) -> None:
        while self._written:
            key = next(iter(self._written))
            if self._written[key].last >= limit:
                return
            del self._written[key]


def _event(
    involved: InvolvedObject, kind: EventType, reason: str, message: str, *, now: float, instance: str
) -> Object:
    namespace = involved.namespace or "default"
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {
            "name": f"{involved.name[:200].rstrip('-.')}.{uuid.uuid4().hex[:16]}",
            "namespace": namespace,
        },
        "involvedObject": {
            "apiVersion": involved.api_version,
            "kind": involved.kind,
            "name": involved.name,
            "uid": involved.uid,
        }
        | ({"namespace": involved.namespace} if involved.namespace else {}),
        "type": kind,
        "reason": reason,
        "message": message,
        "firstTimestamp": format_time(now),
        "lastTimestamp": format_time(now),
        "count": 1,
        "source": {"component": COMPONENT},
        "reportingComponent": COMPONENT,
        "reportingInstance": instance,
    }
