"""All arms of the part, one after another on one cluster; those that are compared directly, in turn."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench import cluster, loops
from bench.floor.arm import floor
from bench.warm import argo, plain, sample_program, steps
from bench.warm.missing_image import PROFILE, MissingImage, registry
from bench.warm.product import Drained, Pooled, Product, Resting, fill
from bench.warm.writes import Counting

if TYPE_CHECKING:
    import argparse
    from collections.abc import AsyncIterator

    from runtime_operator.config import Profile
    from runtime_operator.kube.client import Kube

RATES = (1.0, 2.0, 4.0)
"""Jobs per second."""


@dataclass(frozen=True)
class Counts:
    """How many jobs each loop has."""

    runs: int

    @property
    def target(self) -> int:
        """Jobs of the loop whose p99 has a target: twice as many as elsewhere."""
        return 2 * self.runs

    @property
    def slow(self) -> int:
        """Jobs that take seconds: half as many."""
        return max(1, self.runs // 2)

    @property
    def few(self) -> int:
        """Jobs that take still longer, with all that has to be made ready for each: a fifth."""
        return max(1, self.runs // 5)

    def at(self, rate: float) -> int:
        """Warm jobs at so many per second."""
        return {1.0: self.slow, 2.0: self.target}.get(rate, self.runs)


async def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Return the runs of every arm and loop, writes, and what `sample-program` takes."""
    counts = Counts(options.runs)
    async with cluster.connected() as kube:
        profile = await cluster.profile(kube)
        await cluster.profile(kube, PROFILE)
        data = await _warm_and_floor(kube, profile, counts)
        data["arms"]["cold"] = await _cold(kube, counts)
        data["arms"]["drained"] = await _drained(kube, counts)
        data["arms"]["missing"], data["image_bytes"] = await _missing(kube, profile, counts)
        data["arms"]["pod"] = await _plain(plain.BarePod, kube, profile, counts)
        data["arms"]["job"] = await _plain(plain.KubernetesJob, kube, profile, counts)
        data["argo"] = {"version": argo.version(), "reason": ""}
        crds, reason = await argo.built()
        if crds is None:
            data["argo"]["reason"] = reason
        else:
            async with cluster.namespace(kube, "argo") as namespace, argo.installed(kube, namespace, crds):
                data["arms"]["argo"] = await _loops_of_plain(plain.ArgoWorkflow, kube, namespace, profile, counts)
    return {**data, "memory": profile.memory, "cpu_request": profile.cpu_request}


async def _warm_and_floor(kube: Kube, profile: Profile, counts: Counts) -> dict[str, Any]:
    async with (
        _namespaces(kube, "warm", "floor") as (warm_place, floor_place),
        floor(kube, floor_place, profile) as lowest,
        Resting(kube, warm_place) as warm,
    ):
        both: dict[str, loops.Arm] = {"floor": lowest, "warm": warm}
        arms: dict[str, dict[str, Any]] = {name: {} for name in both}
        # The first job anywhere is not like the others: network policy, service account, files read for the first time.
        await loops.closed([lowest, warm], 1, label="first")
        measured = {"closed": await loops.closed([lowest, warm], counts.runs)}
        for rate in RATES:
            measured[f"{rate:g}"] = await loops.in_turn([lowest, warm], counts.at(rate), rate=rate)
        for loop, in_turn in measured.items():
            for name, runs in zip(both, in_turn, strict=True):
                arms[name][loop] = loops.as_data(runs)
        where = await steps.measure(kube, both, (floor_place, warm_place), counts.slow)
        for arm in both.values():
            await arm.ready(0)
        arms["refilled"], writes = await _refilled(kube, counts)
        sample = await sample_program.measure(kube, warm_place, counts.few)
        return {"arms": arms, "writes": writes, "steps": where, "sample": sample}


async def _refilled(kube: Kube, counts: Counts) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the runs at every rate, and what was written for those that have a target."""
    data: dict[str, Any] = {}
    writes: dict[str, Any] = {}
    async with (
        cluster.namespace(kube, "refilled") as namespace,
        Pooled(kube, namespace) as arm,
        cluster.session() as session,
    ):
        await loops.closed([arm], 1, label="first")
        for rate in RATES:
            jobs = counts.at(rate)
            await arm.ready(jobs)
            async with Counting(session, kube) as counting:
                runs = await loops.opened(arm, jobs, rate=rate)
                await fill(kube, namespace, jobs)  # what was taken is made again: that belongs to the jobs' price
                written = await counting.writes()
            data[f"{rate:g}"] = loops.as_data(runs)
            if rate == 2.0:
                writes = {"jobs": jobs, "requests": written}
    return data, writes


async def _cold(kube: Kube, counts: Counts) -> dict[str, Any]:
    async with cluster.namespace(kube, "cold") as namespace, Product(kube, namespace) as arm:
        return await _four_loops(arm, alone=counts.slow, together=counts.slow)


async def _drained(kube: Kube, counts: Counts) -> dict[str, Any]:
    async with cluster.namespace(kube, "drained") as namespace, Drained(kube, namespace) as arm:
        data = await _four_loops(arm, alone=counts.few, together=counts.slow)
        await fill(kube, namespace, 0)
        return data


async def _missing(kube: Kube, profile: Profile, counts: Counts) -> tuple[dict[str, Any], int]:
    async with (
        _namespaces(kube, "registry", "image") as (registry_place, namespace),
        registry(kube, registry_place, profile.image) as size,
        MissingImage(kube, namespace, profile=PROFILE) as arm,
    ):
        return await _four_loops(arm, alone=counts.few, together=counts.few), size


async def _four_loops(arm: loops.Arm, *, alone: int, together: int) -> dict[str, Any]:
    data = {"closed": loops.as_data(await loops.apart(arm, alone))}
    for rate in RATES:
        data[f"{rate:g}"] = loops.as_data(await loops.opened(arm, together, rate=rate))
    return data


async def _plain(kind: type[plain.Plain], kube: Kube, profile: Profile, counts: Counts) -> dict[str, Any]:
    async with cluster.namespace(kube, "plain") as namespace:
        return await _loops_of_plain(kind, kube, namespace, profile, counts)


async def _loops_of_plain(
    kind: type[plain.Plain], kube: Kube, namespace: str, profile: Profile, counts: Counts
) -> dict[str, Any]:
    async with kind(kube, namespace, profile) as arm:
        return {
            "closed": loops.as_data(await loops.apart(arm, counts.few)),
            "1": loops.as_data(await loops.opened(arm, counts.slow, rate=1.0)),
        }


@contextlib.asynccontextmanager
async def _namespaces(kube: Kube, one: str, other: str) -> AsyncIterator[tuple[str, str]]:
    async with cluster.namespace(kube, one) as first, cluster.namespace(kube, other) as second:
        yield first, second
