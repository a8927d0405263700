"""The worker of the queue: read what is known, decide, act. For one key, over and over, until nothing is left to do."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING

from runtime_runner.schema.verdicts import Request

from runtime_operator.act.merge import merge_patch
from runtime_operator.api.names import JobKey, PoolKey
from runtime_operator.api.v1alpha1 import ProgramKind
from runtime_operator.decide.job import plan_job
from runtime_operator.decide.pool import plan_pool
from runtime_operator.decide.program import program_status, wants_check
from runtime_operator.kube.client import CLUSTER_PROGRAMS, CONFIG_MAPS, PROGRAMS
from runtime_operator.observe.source import source_of

if TYPE_CHECKING:
    from runtime_operator.act.execute import Executor
    from runtime_operator.config import OperatorConfig
    from runtime_operator.kube.client import Kube
    from runtime_operator.observe.cache import Cache, ProgramKey
    from runtime_operator.runners.conversations import Conversations
    from runtime_operator.schema.checks import Checks

CONFIG_MAP_SECONDS = 60.0
"""How often a program's ConfigMap is looked at again: watching them would mean reading all of a cluster's."""

Key = JobKey | PoolKey | tuple[ProgramKind, str, str]


class Reconciler:
    """Reconciles jobs, pools and programs; the queue calls it with one key at a time."""

    def __init__(
        self,
        config: OperatorConfig,
        kube: Kube,
        cache: Cache,
        conversations: Conversations,
        checks: Checks,
        executor: Executor,
    ) -> None:
        self._config, self._kube, self._cache = config, kube, cache
        self._conversations, self._checks, self._executor = conversations, checks, executor

    async def __call__(self, key: Key) -> float | None:
        """Bring this one object to where it should be; return in how many seconds to look again."""
        match key:
            case JobKey():
                return await self._job(key)
            case PoolKey():
                return await self._pool(key)
            case _:
                return await self._program(key)

    async def _job(self, key: JobKey) -> float | None:
        observed = self._cache.observe(key, self._conversations.snapshot)
        plan = plan_job(observed, time.time(), self._config)
        look_again = await self._executor.execute(observed, plan)
        over = observed.job is None or observed.job.phase.terminal
        # what is there now: a pod that was claimed in this pass was not there when it was observed
        own = {pod.uid for pod in self._cache.pods.of(key) if observed.job and pod.job_uid == observed.job.uid}
        self._conversations.retain(key, set() if over else own)
        if over:
            self._checks.drop(key)
            self._executor.forget(observed.job.uid if observed.job else observed.deleted_uid)
        return look_again

    async def _pool(self, key: PoolKey) -> float | None:
        observed = self._cache.observe_pool(key, self._conversations.snapshot)
        plan = plan_pool(observed, time.time(), self._config, secrets.token_hex(8))
        look_again = await self._executor.execute_pool(observed, plan)
        self._conversations.retain(key, {pod.uid for pod in self._cache.pods.of(key)})
        return look_again

    async def _program(self, key: ProgramKey) -> float | None:
        program = self._cache.program(key)
        if program is None:
            self._checks.drop(key)
            return None
        source, look_again = program.source, None
        if source is None and program.spec is not None and (ref := program.spec.source.config_map_ref):
            found = await self._kube.get(CONFIG_MAPS, program.namespace, ref.name)
            source, look_again = source_of(found, ref), CONFIG_MAP_SECONDS
        check = self._cache.program_check(key)
        if check is None and program.spec is not None and wants_check(program, self._config):
            asked = [Request(schema=schema, text="", what=name) for name, schema in program.spec.schemas.items()]
            self._checks.ensure(key, program.uid, "program", program.schemas.digest, asked)
        status = program_status(program, source, check, time.time(), self._config)
        if status is not None and (difference := merge_patch(program.status, status)):
            resource = PROGRAMS if program.kind is ProgramKind.NAMESPACED else CLUSTER_PROGRAMS
            body = {"metadata": {"uid": program.uid}, "status": difference}
            written = await self._kube.patch(
                resource, program.namespace or None, program.name, body, subresource="status"
            )
            if written is not None:
                self._cache.put_program(written)
        return look_again
