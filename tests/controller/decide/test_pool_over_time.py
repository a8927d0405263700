"""What holds for every pool in every situation, and what becomes of one in the course of time.

The cluster here is as small as it can be: a created pod has a node at once and is ready a second later, a deleted one
is gone, a job takes the oldest pod that is ready.
"""

from __future__ import annotations

import dataclasses
import random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from runtime_operator.api.conditions import Reason, format_time
from runtime_operator.api.names import PoolKey
from runtime_operator.api.v1alpha1 import RunnerPoolSpec
from runtime_operator.build.pod import template_digest
from runtime_operator.decide.plan import CreatePod, DiscardPod, PrepareNamespace
from runtime_operator.decide.pool import plan_pool
from runtime_operator.decide.warm import candidates
from runtime_operator.observe.demand import Ledger
from runtime_operator.observe.pools import Demand, ObservedPool, PoolPod, PoolSnapshot
from runtime_operator.observe.snapshots import PodSnapshot, Refusal, RunnerSnapshot
from runtime_runner.contract import RunnerState
from support import crd, snapshots
from support.clock import START
from support.snapshots import CONFIG

TEMPLATE = template_digest("default", CONFIG.profiles["default"])
KEY = PoolKey("default", "a-pool")

moments = st.integers(-700, 700).map(lambda seconds: START + seconds)
specs = st.builds(
    RunnerPoolSpec,
    profile=st.sampled_from([None, "default", "gone"]),
    replicas=st.integers(0, 6),
    low_watermark=st.none() | st.integers(0, 8),
    max_age_seconds=st.sampled_from([60, 600, 86400]),
    scale_to_zero_after_seconds=st.none() | st.sampled_from([10, 600]),
)
statuses = st.fixed_dictionaries(
    {},
    optional={
        "observedGeneration": st.just(1),
        "selector": st.just("quantumruntime.dev/pool=a-pool,!quantumruntime.dev/job-uid"),
        "lastActiveTime": moments.map(format_time),
        "pods": st.just(["p0", "p1", "p2", "p3", "p4"]),
        "hits": st.integers(0, 50),
        "conditions": st.builds(
            lambda status, reason: [
                {
                    "type": "Ready",
                    "status": status,
                    "reason": reason.value,
                    "message": "",
                    "lastTransitionTime": format_time(START),
                }
            ],
            st.sampled_from(["True", "False"]),
            st.sampled_from([Reason.POOL_READY, Reason.REFILLING, Reason.QUOTA_EXCEEDED]),
        ),
    },
)
pools = st.builds(
    PoolSnapshot,
    key=st.just(KEY),
    uid=st.just("pool-uid"),
    generation=st.just(1),
    created=moments,
    deleting=st.sampled_from([False, False, False, True]),
    spec=specs | st.none(),
    spec_error=st.just("spec: wrong"),
    status=statuses,
)
runners = st.builds(
    RunnerSnapshot,
    pod_uid=st.just(""),
    connected=st.sampled_from([True, True, False]),
    silent_since=moments,
    broken=st.sampled_from([False, False, False, True]),
    state=st.sampled_from([RunnerState.READY, RunnerState.READY, RunnerState.STARTING, RunnerState.ENDED]),
    job_uid=st.sampled_from(["", "", "", "other"]),
    node_time=st.just(START),
    node_time_at=st.just(START),
)
pods = st.builds(
    snapshots.pod,
    job_uid=st.just(""),
    job_name=st.just(""),
    attempt=st.integers(0, 9),
    pool=st.just("a-pool"),
    pool_uid=st.sampled_from(["pool-uid", "pool-uid", "pool-uid", "earlier", ""]),
    template=st.sampled_from([TEMPLATE, TEMPLATE, TEMPLATE, "other"]),
    phase=st.sampled_from(["Pending", "Running", "Running", "Failed"]),
    created=moments,
    scheduled=st.booleans(),
    scheduled_since=st.none() | moments,
    deadline_seconds=st.sampled_from([100, 200_000]),
    running=st.booleans(),
    waiting_reason=st.sampled_from(["", "", "ErrImagePull", "Unschedulable"]),
    exit_code=st.sampled_from([None, None, None, 1]),
    deleting_since=st.none() | st.none() | moments,
    ready_lost_since=st.none() | st.none() | moments,
)
entries = st.builds(PoolPod, pod=pods, runner=st.none() | runners, taken=st.sampled_from([False, False, False, True]))
demands = st.builds(
    Demand,
    hits=st.integers(0, 99),
    misses=st.integers(0, 99),
    last_asked=st.just(0.0) | moments,
    last_missed=st.just(0.0) | moments,
    rate=st.sampled_from([0.0, 0.2, 1.0, 30.0]),
    waiting=st.sampled_from([0, 0, 3]),
    refused=st.sampled_from([0, 0, 1]),
)
refusals = st.builds(
    Refusal,
    reason=st.sampled_from([Reason.QUOTA_EXCEEDED, Reason.POD_REFUSED, Reason.NAMESPACE_NOT_PREPARED]),
    message=st.just("no"),
    at=moments,
    times=st.integers(1, 50),
)


def _numbered(found: list[PoolPod]) -> tuple[PoolPod, ...]:
    def named(number: int, entry: PoolPod) -> PoolPod:
        uid = f"p{number}"
        runner = dataclasses.replace(entry.runner, pod_uid=uid) if entry.runner else None
        return dataclasses.replace(entry, pod=dataclasses.replace(entry.pod, uid=uid, name=uid), runner=runner)

    return tuple(named(number, entry) for number, entry in enumerate(found))


situations = st.builds(
    ObservedPool,
    key=st.just(KEY),
    pool=pools,
    pods=st.lists(entries, max_size=8).map(_numbered),
    made=st.sampled_from([frozenset(), frozenset({"p5", "p6", "p7"})]),
    claimed=st.integers(0, 3),
    demand=demands,
    namespace_prepared=st.sampled_from([True, True, False]),
    refusal=st.none() | refusals,
    status_written_at=st.just(0.0) | moments,
)


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(observed=situations, now=moments)
def test_whatever_is_seen(observed: ObservedPool, now: float) -> None:
    plan = plan_pool(observed, now, CONFIG, "token")
    assert plan == plan_pool(observed, now, CONFIG, "token")
    created = [action for action in plan.actions if isinstance(action, CreatePod)]
    discarded = [action.pod_uid for action in plan.actions if isinstance(action, DiscardPod)]
    assert len(discarded) == len(set(discarded))
    by_uid = {entry.pod.uid: entry for entry in observed.pods}
    assert not any(by_uid[uid].taken for uid in discarded), "a pod that a job is taking is never deleted"
    assert not any(by_uid[uid].pod.deleting_since for uid in discarded), "nothing is deleted twice"
    assert not (created and observed.demand.refused), "jobs that find no room go first"
    assert not created or observed.namespace_prepared
    assert observed.pool is not None
    if created:
        assert observed.pool.spec is not None
        stay = [
            entry
            for uid, entry in by_uid.items()
            if uid not in discarded and not entry.taken and entry.pod.deleting_since is None
        ]
        assert len(stay) + len(created) <= observed.pool.spec.replicas, "never more than wanted"
        assert len(created) <= CONFIG.pools.max_starting
    if not created and not discarded and plan.status is None and PrepareNamespace not in map(type, plan.actions):
        assert plan.requeue_after is None or plan.requeue_after > 0, "no hot loop"
    if plan.status is not None:
        assert not crd.problems("runnerpools", dict(plan.status), part="status")
        assert not observed.pool.deleting


class Cluster:
    """A pool, its pods and a clock: carries out what is planned, and counts what it costs."""

    def __init__(self, *, room: int = 99, fails: bool = False, **spec: Any) -> None:
        self.now, self.room, self.fails = START, room, fails
        self.pods: dict[str, PodSnapshot] = {}
        self.made: set[str] = set()
        self.refusal: Refusal | None = None
        self.written_at = 0.0
        self.passes = self.writes = self.creations = 0
        self.hits: list[bool] = []
        self.most = 0
        self.pool = PoolSnapshot(
            key=KEY,
            uid="pool-uid",
            generation=1,
            created=START,
            deleting=False,
            spec=RunnerPoolSpec.model_validate(spec),
            spec_error="",
            status={},
        )
        self.ledger = Ledger()
        self.ledger.open(self.pool)

    def entries(self) -> tuple[PoolPod, ...]:
        return tuple(PoolPod(pod=self._seen(pod), runner=self._runner(pod)) for pod in self.pods.values())

    def ready(self) -> int:
        return len(candidates(self.entries(), TEMPLATE, 300, CONFIG.limits, self.now))

    def restart(self) -> None:
        """Another operator: it knows what is in the cluster, and nothing else."""
        self.made, self.refusal, self.written_at = set(), None, 0.0
        self.ledger = Ledger()
        self.ledger.open(self.pool)

    def ask(self) -> None:
        """A job comes."""
        found = candidates(self.entries(), TEMPLATE, 300, CONFIG.limits, self.now)
        if found:
            del self.pods[found[0].uid]
        self.hits.append(bool(found))
        self.ledger.asked(self.pool.uid, self.now, hit=bool(found))
        self.work()

    def run(self, seconds: float) -> None:
        """Let time pass; the operator looks when it wanted to, or when a pod changes."""
        end = self.now + seconds
        while True:
            wish = self.work()
            changes = [pod.created + 1.0 for pod in self.pods.values() if pod.created + 1.0 > self.now]
            moments = [moment for moment in (*changes, self.now + wish if wish is not None else end) if moment < end]
            if not moments:
                break
            self.now = max(min(moments), self.now + 0.001)
        self.now = end
        self.work()

    def work(self) -> float | None:
        """Plan and act until nothing is left to do at this moment."""
        for _ in range(50):
            plan = plan_pool(self.observed(), self.now, CONFIG, f"t{self.passes}")
            self.passes += 1
            if not self._act(plan):
                return plan.requeue_after
        raise AssertionError("the plans do not come to an end")

    def observed(self) -> ObservedPool:
        return ObservedPool(
            key=KEY,
            pool=self.pool,
            pods=self.entries(),
            made=frozenset(self.made),
            demand=self.ledger.of(self.pool, "default"),
            namespace_prepared=True,
            refusal=self.refusal,
            status_written_at=self.written_at,
        )

    def _act(self, plan: Any) -> bool:
        acted = False
        for action in plan.actions:
            if isinstance(action, DiscardPod):
                del self.pods[action.pod_uid]
                acted = True
            if isinstance(action, CreatePod):
                acted = True
                if len(self.pods) >= self.room:
                    times = self.refusal.times + 1 if self.refusal else 1
                    self.refusal = Refusal(reason=Reason.QUOTA_EXCEEDED, message="no", at=self.now, times=times)
                    return True
                self.refusal = None
                self._create(action)
        if plan.status is not None:
            assert not crd.problems("runnerpools", dict(plan.status), part="status")
            self.pool = dataclasses.replace(self.pool, status=plan.status)
            self.written_at = self.now
            self.writes += 1
            acted = True
        return acted

    def _create(self, action: CreatePod) -> None:
        meta = action.manifest["metadata"]
        assert meta["name"] not in self.made
        self.creations += 1
        self.made.add(meta["name"])
        self.pods[meta["name"]] = snapshots.pod(
            uid=meta["name"],
            name=meta["name"],
            job_uid="",
            job_name="",
            pool="a-pool",
            pool_uid="pool-uid",
            template=meta["labels"]["quantumruntime.dev/template"],
            attempt=int(meta["labels"]["quantumruntime.dev/attempt"]),
            created=self.now,
            scheduled_since=self.now,
            start_time=self.now,
            deadline_seconds=action.manifest["spec"]["activeDeadlineSeconds"],
        )
        self.most = max(self.most, len(self.pods))

    def _seen(self, pod: PodSnapshot) -> PodSnapshot:
        up = self.now >= pod.created + 1.0
        if up and self.fails:
            return dataclasses.replace(pod, running=False, phase="Failed", exit_code=1)
        return dataclasses.replace(pod, running=up)

    def _runner(self, pod: PodSnapshot) -> RunnerSnapshot:
        up = self.now >= pod.created + 1.0
        return snapshots.runner(
            pod_uid=pod.uid,
            connected=up,
            state=RunnerState.READY if up else RunnerState.STARTING,
            node_time=self.now,
            node_time_at=self.now,
            silent_since=pod.created,
        )


def test_a_new_pool_is_filled_and_then_left_alone() -> None:
    cluster = Cluster(replicas=10)
    cluster.run(10)
    assert (cluster.ready(), cluster.creations) == (10, 10)
    passes = cluster.passes
    cluster.run(3600)
    assert cluster.passes - passes < 10
    assert cluster.writes <= 5


def test_a_burst_is_served_from_the_pool_and_the_pool_is_full_again_soon_after() -> None:
    cluster = Cluster(replicas=10)
    cluster.run(20)
    for _ in range(12):
        cluster.ask()
    assert cluster.hits == [True] * 10 + [False] * 2
    assert cluster.creations == 11, "one pod starts while the burst goes on"
    cluster.run(10)
    assert cluster.ready() == 10


def test_a_burst_that_the_pool_has_a_pod_for_each_of_starts_none_beside_it() -> None:
    cluster = Cluster(replicas=12)
    cluster.run(20)
    for _ in range(11):
        cluster.ask()
        cluster.run(0.25)
    assert cluster.hits == [True] * 11
    assert cluster.creations == 12, "none but those that were there before"
    cluster.run(12)
    assert cluster.ready() == 12


def test_under_a_steady_load_the_pool_is_refilled_without_waiting_for_quiet() -> None:
    cluster = Cluster(replicas=6)
    cluster.run(20)
    writes = cluster.writes
    for _ in range(200):
        cluster.ask()
        cluster.run(0.99)
    assert sum(cluster.hits) >= 195
    assert (cluster.writes - writes) <= 200 / CONFIG.pools.status_seconds + 1, "status writes do not grow with the jobs"


def test_under_more_load_than_pods_can_be_started_for_some_jobs_still_find_one() -> None:
    cluster = Cluster(replicas=4)
    cluster.run(20)
    for _ in range(400):
        cluster.ask()
        cluster.run(0.25)
    assert sum(cluster.hits) >= 90, "about one pod a second"


def test_jobs_at_random_a_little_slower_than_pods_can_be_started_mostly_find_one() -> None:
    chance = random.Random(5)
    cluster = Cluster(replicas=8)
    cluster.run(20)
    for _ in range(300):
        cluster.ask()
        cluster.run(chance.expovariate(0.8))
    assert sum(cluster.hits) >= 270


def test_pods_that_fail_are_tried_less_and_less_often() -> None:
    cluster = Cluster(replicas=8, fails=True)
    cluster.run(3600)
    assert cluster.creations < 25
    assert len(cluster.pods) <= 2
    cluster.fails = False
    cluster.run(320)
    assert cluster.ready() == 8


def test_a_pool_that_does_not_fit_the_quota_takes_what_there_is() -> None:
    cluster = Cluster(replicas=8, room=5)
    cluster.run(600)
    assert (cluster.ready(), cluster.most) == (5, 5)
    assert cluster.writes < 50
    cluster.room = 99
    cluster.run(70)
    assert cluster.ready() == 8


def test_a_pool_gives_pods_back_one_by_one_as_long_as_a_job_finds_no_room() -> None:
    cluster = Cluster(replicas=8)
    cluster.run(20)
    cluster.ledger.refused("a-job", KEY.namespace)
    cluster.run(0.5)
    assert len(cluster.pods) == 7
    cluster.run(10)
    assert len(cluster.pods) == 5
    cluster.ledger.accepted("a-job")
    cluster.run(10)
    assert cluster.ready() == 8


def test_old_pods_are_replaced_without_emptying_the_pool() -> None:
    cluster = Cluster(replicas=5, max_age_seconds=600)
    cluster.run(30)
    fewest = 5
    for _ in range(1200):
        cluster.run(1)
        fewest = min(fewest, cluster.ready())
    assert fewest == 4
    assert 15 <= cluster.creations <= 20


def test_an_idle_pool_goes_and_the_next_job_brings_it_back() -> None:
    cluster = Cluster(replicas=3, scale_to_zero_after_seconds=60)
    cluster.run(59)
    assert cluster.ready() == 3
    cluster.run(10)
    assert (len(cluster.pods), cluster.pool.status["conditions"][0]["reason"]) == (0, "ScaledToZero")
    cluster.ask()
    cluster.run(10)
    assert (cluster.hits, cluster.ready()) == ([False], 3)


def test_a_restarted_operator_takes_over_the_pods() -> None:
    cluster = Cluster(replicas=5, scale_to_zero_after_seconds=3600)
    cluster.run(3000)
    cluster.ask()
    cluster.run(30)
    before = set(cluster.pods)
    cluster.restart()
    cluster.run(900)
    assert set(cluster.pods) == before
    assert cluster.pool.status["hits"] == 1


@settings(max_examples=40, deadline=None)
@given(
    replicas=st.integers(1, 6),
    low=st.none() | st.integers(0, 6),
    waits=st.lists(st.sampled_from([0.0, 0.01, 0.3, 1.1, 4.0, 30.0]), max_size=30),
    restart=st.booleans(),
)
def test_whenever_jobs_come_the_pool_is_full_in_the_end(
    replicas: int, low: int | None, waits: list[float], restart: bool
) -> None:
    cluster = Cluster(replicas=replicas, low_watermark=low)
    for wait in waits:
        cluster.ask()
        cluster.run(wait)
    if restart:
        cluster.run(10)
        cluster.restart()
    cluster.run(30)
    assert cluster.ready() == replicas
    assert cluster.most <= replicas
    assert not [a for a in plan_pool(cluster.observed(), cluster.now, CONFIG, "x").actions if isinstance(a, CreatePod)]
