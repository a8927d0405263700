"""The worker of the queue: read what is known, decide, act. For one key, over and over, until nothing is left to do."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from runtime_operator.act.merge import merge_patch
from runtime_operator.api.names import JobKey
from runtime_operator.api.v1alpha1 import ProgramKind
from runtime_operator.decide.job import plan_job
from runtime_operator.decide.program import program_status
from runtime_operator.kube.client import CLUSTER_PROGRAMS, CONFIG_MAPS, PROGRAMS
from runtime_operator.observe.snapshots import Source

if TYPE_CHECKING:
    from runtime_operator.act.execute import Executor
    from runtime_operator.config import OperatorConfig
    from runtime_operator.kube.client import Kube
    from runtime_operator.observe.cache import Cache, ProgramKey
    from runtime_operator.runners.conversations import Conversations

CONFIG_MAP_SECONDS = 60.0
"""How often a program's ConfigMap is looked at again: watching them would mean reading all of a cluster's."""

Key = JobKey | tuple[ProgramKind, str, str]


class Reconciler:
    """Reconciles jobs and programs; the queue calls it with one key at a time."""

    def __init__(
        self, config: OperatorConfig, kube: Kube, cache: Cache, conversations: Conversations, executor: Executor
    ) -> None:
        self._config, self._kube, self._cache = config, kube, cache
        self._conversations, self._executor = conversations, executor

    async def __call__(self, key: Key) -> float | None:
        """Bring this one object to where it should be; return in how many seconds to look again."""
        return await self._job(key) if isinstance(key, JobKey) else await self._program(key)

    async def _job(self, key: JobKey) -> float | None:
        observed = self._cache.observe(key, self._conversations.snapshot)
        plan = plan_job(observed, time.time(), self._config)
        look_again = await self._executor.execute(observed, plan)
        over = observed.job is None or observed.job.phase.terminal
        self._conversations.retain(key, set() if over else {pod.uid for pod in observed.own_pods})
        return look_again

    async def _program(self, key: ProgramKey) -> float | None:
        program = self._cache.program(key)
        if program is None:
            return None
        source, look_again = program.source, None
        if source is None and program.spec is not None and (ref := program.spec.source.config_map_ref):
            found = await self._kube.get(CONFIG_MAPS, program.namespace, ref.name)
            source, look_again = Source(files=found.get("data") or {} if found else None), CONFIG_MAP_SECONDS
        status = program_status(program, source, time.time(), self._config)
        if status is not None and (difference := merge_patch(program.status, status)):
            resource = PROGRAMS if program.kind is ProgramKind.NAMESPACED else CLUSTER_PROGRAMS
            body = {"metadata": {"uid": program.uid}, "status": difference}
            written = await self._kube.patch(
                resource, program.namespace or None, program.name, body, subresource="status"
            )
            if written is not None:
                self._cache.put_program(written)
        return look_again
