"""What becomes of a pool's pods, rule by rule."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

import pytest
from runtime_operator.api import names
from runtime_operator.api.conditions import Reason, Status, format_time
from runtime_operator.api.names import PoolKey
from runtime_operator.api.v1alpha1 import RunnerPoolSpec
from runtime_operator.build.pod import template_digest
from runtime_operator.decide.plan import Converse, CreatePod, DiscardPod, Plan, PrepareNamespace, Waste
from runtime_operator.decide.pool import plan_pool
from runtime_operator.observe.pools import RATE_SECONDS, Demand, ObservedPool, PoolPod, PoolSnapshot
from runtime_operator.observe.snapshots import Refusal
from runtime_runner.contract import RunnerState
from support import crd, snapshots
from support.clock import START
from support.snapshots import CONFIG

if TYPE_CHECKING:
    from runtime_operator.config import OperatorConfig

TEMPLATE = template_digest("default", CONFIG.profiles["default"])
NOW = START + 100
POOL_UID = "pool-uid"


def pool(*, status: dict[str, Any] | None = None, generation: int = 1, **spec: Any) -> PoolSnapshot:
    """Return a pool whose status says that it has been full, unless another status is given."""
    full = {
        "observedGeneration": generation,
        "selector": f"{names.POOL_LABEL}=a-pool,!{names.JOB_UID_LABEL}",
        "lastActiveTime": format_time(START),
        "conditions": [condition("Ready", "True", "PoolReady")],
        "pods": [f"p{n}" for n in range(100)],
    }
    return PoolSnapshot(
        key=PoolKey("default", "a-pool"),
        uid=POOL_UID,
        generation=generation,
        created=START,
        deleting=False,
        spec=RunnerPoolSpec.model_validate(spec),
        spec_error="",
        status=full if status is None else status,
    )


def condition(type_: str, status: str, reason: str) -> dict[str, Any]:
    since = format_time(START)
    return {"type": type_, "status": status, "reason": reason, "message": "", "lastTransitionTime": since}


def ready(number: int = 0, *, taken: bool = False, runner: dict[str, Any] | None = None, **fields: Any) -> PoolPod:
    """Return a pod of the pool that waits for a job."""
    uid = f"p{number}"
    defaults = {
        "uid": uid,
        "name": uid,
        "job_uid": "",
        "job_name": "",
        "pool": "a-pool",
        "pool_uid": POOL_UID,
        "profile": "default",
        "template": TEMPLATE,
        "created": START + number,
        "scheduled_since": START + number,
        "deadline_seconds": 200_000,
    }
    said = snapshots.runner(**({"pod_uid": uid} | (runner or {})))
    return PoolPod(pod=snapshots.pod(**(defaults | fields)), runner=said, taken=taken)


def starting(number: int = 0, **fields: Any) -> PoolPod:
    """Return a pod that has a node since now, and nobody has spoken to yet."""
    defaults: dict[str, Any] = {"running": False, "phase": "Pending", "created": NOW, "scheduled_since": NOW}
    entry = ready(number, **(defaults | fields))
    return dataclasses.replace(entry, runner=None)


def observed(*pods: PoolPod, **fields: Any) -> ObservedPool:
    spec = {key: fields.pop(key) for key in tuple(fields) if key in RunnerPoolSpec.model_fields}
    defaults: dict[str, Any] = {
        "key": PoolKey("default", "a-pool"),
        "pool": pool(**spec),
        "pods": pods,
        "namespace_prepared": True,
        "status_written_at": NOW,
    }
    return ObservedPool(**(defaults | fields))


def plan(*pods: PoolPod, now: float = NOW, config: OperatorConfig = CONFIG, **fields: Any) -> Plan:
    made = plan_pool(observed(*pods, **fields), now, config, "token")
    assert made == plan_pool(observed(*pods, **fields), now, config, "token")
    if made.status is not None:
        assert not crd.problems("runnerpools", dict(made.status), part="status")
    return made


def created(made: Plan) -> list[dict[str, Any]]:
    return [dict(action.manifest) for action in made.actions if isinstance(action, CreatePod)]


def discarded(made: Plan) -> list[tuple[str, Waste]]:
    return [(action.pod_uid, action.why) for action in made.actions if isinstance(action, DiscardPod)]


def ready_condition(made: Plan) -> dict[str, Any]:
    assert made.status is not None
    (found,) = (c for c in made.status["conditions"] if c["type"] == "Ready")
    return dict(found)


# Filling


def test_an_empty_pool_starts_its_pods_a_few_at_a_time() -> None:
    made = created(plan(replicas=10))
    assert len(made) == CONFIG.pools.max_starting
    assert len({body["metadata"]["name"] for body in made}) == len(made)


def test_the_namespace_is_prepared_before_the_first_pod() -> None:
    made = plan(replicas=1, namespace_prepared=False)
    assert made.actions == (PrepareNamespace(namespace="default"),)
    assert made.requeue_after == 0.0


def test_pods_that_are_starting_count() -> None:
    assert len(created(plan(ready(1), starting(2), starting(3), replicas=4))) == 1
    assert len(created(plan(*(starting(n) for n in range(3)), replicas=9))) == 1
    assert not created(plan(ready(1), starting(2), replicas=2))


def test_a_pod_that_a_job_is_taking_does_not_count_and_is_never_deleted() -> None:
    made = plan(ready(1), ready(2, taken=True, template="outdated"), replicas=2)
    assert len(created(made)) == 1
    assert not discarded(made)
    assert not discarded(plan(ready(1, taken=True), ready(2, taken=True), replicas=0))


def test_a_pod_that_is_being_deleted_does_not_count() -> None:
    made = plan(ready(1, deleting_since=NOW), replicas=1)
    assert len(created(made)) == 1
    assert not discarded(made)


def test_a_created_pod_belongs_to_the_pool_and_lives_for_its_wait_and_the_longest_run() -> None:
    (body,) = created(plan(replicas=1, max_age_seconds=600))
    (owner,) = body["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["uid"]) == ("RunnerPool", POOL_UID)
    limits = CONFIG.limits
    longest = limits.max_execution_seconds + int(limits.stop_grace_seconds) + limits.backstop_seconds
    assert body["spec"]["activeDeadlineSeconds"] == 600 + longest + limits.pod_start_seconds + 1


def test_streams_are_opened_ahead_to_every_pod_that_has_a_node() -> None:
    silent = ready(2, runner={"connected": False, "silent_since": NOW})
    made = plan(ready(1), silent, starting(3), starting(4, scheduled=False, scheduled_since=None), replicas=4)
    assert [action.pod_uid for action in made.actions if isinstance(action, Converse)] == ["p2", "p3"]


# Jobs go first


QUIET = CONFIG.pools.quiet_seconds


def busy(**fields: Any) -> dict[str, Any]:
    return {"demand": Demand(last_asked=NOW - 0.2, **fields), "replicas": 8}


def test_while_jobs_ask_a_pool_that_is_half_full_waits() -> None:
    made = plan(*(ready(n) for n in range(4)), **busy())
    assert not created(made)
    assert made.requeue_after == pytest.approx(QUIET - 0.2)


def test_while_jobs_ask_a_pool_below_its_low_watermark_gets_one_pod_at_a_time() -> None:
    assert len(created(plan(*(ready(n) for n in range(3)), **busy()))) == 1
    assert not created(plan(*(ready(n) for n in range(2)), starting(5), **busy()))


def test_while_jobs_come_faster_than_pods_start_and_all_find_one_only_an_empty_pool_gets_one() -> None:
    assert not created(plan(ready(1), **busy(rate=3.0)))
    assert not created(plan(starting(1), **busy(rate=3.0)))
    assert len(created(plan(**busy(rate=3.0)))) == 1


def test_the_rate_at_which_jobs_came_fades_and_then_the_low_watermark_counts_again() -> None:
    slower = RATE_SECONDS * math.log(1.5) - 0.2
    held = plan(ready(1), **busy(rate=1.5))
    assert not created(held)
    assert held.requeue_after == pytest.approx(slower)
    assert len(created(plan(ready(1), **busy(rate=1.5), now=NOW + slower))) == 1


def test_when_jobs_have_found_no_pod_starting_one_for_the_pool_is_no_more_work() -> None:
    assert len(created(plan(ready(1), **busy(rate=3.0, last_missed=NOW - 1)))) == 1
    assert not created(plan(ready(1), **busy(rate=3.0, last_missed=NOW - QUIET)))


def test_where_more_pods_may_start_at_the_same_time_jobs_may_come_faster() -> None:
    settings = CONFIG.pools.model_copy(update={"max_starting": 16})
    config = CONFIG.model_copy(update={"pools": settings})
    assert len(created(plan(ready(1), **busy(rate=3.0), config=config))) == 4
    assert not created(plan(ready(1), **busy(rate=5.0), config=config))


def test_a_low_watermark_of_0_starts_nothing_beside_jobs_however_slowly_they_come() -> None:
    assert not created(plan(**busy(rate=0.2), low_watermark=0))


def test_while_jobs_own_pods_start_the_pool_is_busy_however_long_ago_they_asked() -> None:
    waiting: dict[str, Any] = {"demand": Demand(last_asked=NOW - 50, waiting=3), "replicas": 8}
    made = plan(*(ready(n) for n in range(4)), **waiting)
    assert not created(made)
    assert made.requeue_after == 1.0


def test_the_low_watermark_can_be_set() -> None:
    assert created(plan(*(ready(n) for n in range(7)), **busy(), low_watermark=100))
    assert not created(plan(**busy(), low_watermark=0))


def test_when_jobs_are_quiet_the_pool_is_filled_up() -> None:
    asked: dict[str, Any] = {"demand": Demand(last_asked=NOW - QUIET, hits=8), "replicas": 8}
    assert len(created(plan(*(ready(n) for n in range(4)), **asked))) == 4


# Pods that go


def test_a_pod_that_no_operator_is_known_to_have_made_is_deleted() -> None:
    forged = ready(500)
    assert discarded(plan(forged, replicas=1)) == [("p500", Waste.UNKNOWN)]
    assert not discarded(plan(forged, replicas=1, made=frozenset({"p500"})))


def test_a_pod_of_an_earlier_pool_of_the_same_name_is_deleted() -> None:
    assert discarded(plan(ready(1, pool_uid="earlier"), replicas=1)) == [("p1", Waste.UNKNOWN)]


def test_a_pod_that_was_made_from_something_else_is_replaced() -> None:
    made = plan(ready(1, template="other"), replicas=1)
    assert discarded(made) == [("p1", Waste.OUTDATED)]
    assert len(created(made)) == 1


def test_another_image_is_another_template() -> None:
    config = snapshots.config(profiles={"default": {"image": "registry.example/runner:2"}})
    assert discarded(plan(ready(1), replicas=1, config=config)) == [("p1", Waste.OUTDATED)]


def test_a_pod_on_a_lost_node_is_replaced() -> None:
    made = plan(ready(1, ready_lost_since=NOW), ready(2), replicas=2)
    assert discarded(made) == [("p1", Waste.LOST)]
    assert len(created(made)) == 1


def test_old_pods_are_replaced_one_at_a_time() -> None:
    late = START + 86_500
    fresh: dict[str, Any] = {"created": late - 10}
    assert discarded(plan(ready(1), ready(2), ready(3, **fresh), replicas=3, now=late)) == [("p1", Waste.OLD)]
    # ... the next one only once its successor is ready
    young = starting(9, created=late, scheduled_since=late)
    assert not discarded(plan(ready(2), ready(3, **fresh), young, replicas=3, now=late))


def test_old_pods_stay_while_jobs_ask_or_the_api_server_refuses_new_ones() -> None:
    late = START + 86_500
    assert not discarded(plan(ready(1), replicas=1, now=late, demand=Demand(last_asked=late)))
    fresh = Refusal(reason=Reason.QUOTA_EXCEEDED, message="", at=late, times=3)
    made = plan(ready(1), replicas=1, now=late, refusal=fresh)
    assert not discarded(made)
    assert made.requeue_after == 4.0


def test_a_pod_whose_deadline_leaves_no_time_for_the_longest_run_is_old() -> None:
    short = CONFIG.limits.max_execution_seconds
    assert discarded(plan(ready(1, deadline_seconds=short), replicas=1)) == [("p1", Waste.OLD)]


def test_what_is_too_many_goes_pods_without_a_node_first_then_the_youngest() -> None:
    pods = [ready(1), ready(2), starting(3), starting(4, scheduled=False, scheduled_since=None)]
    assert discarded(plan(*pods, replicas=3)) == [("p4", Waste.SURPLUS)]
    assert discarded(plan(*pods, replicas=2)) == [("p4", Waste.SURPLUS), ("p3", Waste.SURPLUS)]
    assert [uid for uid, _ in discarded(plan(*pods, replicas=1))] == ["p4", "p3", "p2"]


def test_a_deleted_pools_pods_are_left_to_the_garbage_collector() -> None:
    assert plan(ready(1), pool=None) == Plan()


def test_pods_that_were_cut_off_from_a_deleted_pool_are_deleted() -> None:
    assert discarded(plan(ready(1, pool_uid=""), pool=None)) == [("p1", Waste.UNKNOWN)]


def test_a_pool_that_is_being_deleted_creates_nothing_and_writes_nothing() -> None:
    made = plan(pool=dataclasses.replace(pool(replicas=3), deleting=True))
    assert made == Plan()


# Pods that fail


FAILURES = [
    pytest.param(ready(1, phase="Failed", exit_code=1, created=NOW, reason="Error"), id="the container ended"),
    pytest.param(ready(1, runner={"broken": True}, created=NOW), id="the runner makes no sense"),
    pytest.param(ready(1, runner={"job_uid": "x"}, created=NOW), id="the runner has a job"),
    pytest.param(ready(1, runner={"state": RunnerState.ENDED}, created=NOW), id="the runner has ended"),
]


@pytest.mark.parametrize("failed", FAILURES)
def test_after_a_failure_the_next_pod_waits_and_the_failed_one_is_kept_to_be_looked_at(failed: PoolPod) -> None:
    made = plan(failed, replicas=4)
    assert not created(made)
    assert not discarded(made)
    assert made.requeue_after == 1.0  # the status
    again = plan(failed, replicas=4, now=NOW + 5, status_written_at=NOW + 5)
    assert discarded(again) == [("p1", Waste.FAILED)]
    (body,) = created(again)
    assert body["metadata"]["labels"][names.ATTEMPT_LABEL] == "1"


@pytest.mark.parametrize(("attempt", "seconds"), [(0, 5), (1, 10), (2, 20), (5, 160), (6, 300), (40, 300)])
def test_each_failure_in_a_row_doubles_the_wait(attempt: int, seconds: int) -> None:
    failed = ready(1, phase="Failed", exit_code=1, created=NOW, attempt=attempt)
    assert not created(plan(failed, replicas=1, now=NOW + seconds - 0.1))
    assert len(created(plan(failed, replicas=1, now=NOW + seconds))) == 1


def test_of_several_failed_pods_the_last_is_kept() -> None:
    pods = [ready(n, phase="Failed", exit_code=1, created=NOW) for n in (1, 2, 3)]
    assert discarded(plan(*pods, replicas=3)) == [("p1", Waste.FAILED), ("p2", Waste.FAILED)]


def test_while_it_is_tried_whether_pods_start_again_there_is_no_other() -> None:
    assert not created(plan(starting(1, attempt=1), replicas=4))
    assert len(created(plan(ready(1, attempt=1), replicas=4))) == 3


def test_a_failure_is_over_when_a_newer_pod_is_ready_or_none_is_missing() -> None:
    failed = ready(1, phase="Failed", exit_code=1, created=NOW - 1)
    newer = plan(failed, ready(2, created=NOW), replicas=3)
    assert discarded(newer) == [("p1", Waste.FAILED)]
    assert discarded(plan(failed, ready(2, created=START), replicas=1)) == [("p1", Waste.FAILED)]
    assert discarded(plan(failed, replicas=0)) == [("p1", Waste.FAILED)]


def test_a_pod_that_does_not_come_up_in_time_has_failed() -> None:
    slow = starting(1, created=START, scheduled_since=NOW - CONFIG.limits.pod_start_seconds)
    never = dataclasses.replace(slow, runner=snapshots.runner(pod_uid="p1", connected=False, silent_since=START))
    made = plan(never, replicas=1, now=NOW + 200)
    assert discarded(made) == [("p1", Waste.FAILED)]
    assert len(created(made)) == 1


def test_a_pod_whose_stream_broke_or_that_was_taken_over_gets_the_time_to_answer_anew() -> None:
    late = NOW + 5000
    broke = ready(1, runner={"connected": False, "silent_since": late - 10})
    assert not discarded(plan(broke, replicas=1, now=late))
    taken_over = dataclasses.replace(ready(1), runner=None)
    made = plan(taken_over, replicas=1, now=late)
    assert not discarded(made)
    assert not created(made)


# Quota


def refused(times: int = 1, at: float = NOW) -> Refusal:
    return Refusal(reason=Reason.QUOTA_EXCEEDED, message="exceeded quota: pods", at=at, times=times)


@pytest.mark.parametrize(("times", "seconds"), [(1, 1), (2, 2), (4, 8), (20, 60)])
def test_after_a_refusal_the_pool_waits_longer_each_time_and_then_tries_with_one(times: int, seconds: int) -> None:
    held = plan(ready(1), replicas=5, refusal=refused(times))
    assert not created(held)
    again = plan(ready(1), replicas=5, refusal=refused(times), now=NOW + seconds)
    assert len(created(again)) == 1


def test_while_a_job_finds_no_room_the_pool_gives_back_one_pod_and_creates_none() -> None:
    made = plan(ready(1), ready(2), replicas=4, demand=Demand(refused=2))
    assert discarded(made) == [("p2", Waste.YIELDED)]
    assert not created(made)
    assert made.status is not None
    assert made.status["replicas"] == 1
    assert ready_condition(made)["reason"] == Reason.QUOTA_EXCEEDED


def test_the_next_pod_is_given_back_when_the_last_one_is_gone_and_the_job_had_time_to_try() -> None:
    yielding = pool(replicas=4)
    yielding = dataclasses.replace(
        yielding, status={**yielding.status, "conditions": [condition("Ready", "False", "QuotaExceeded")]}
    )
    seen: dict[str, Any] = {"pool": yielding, "demand": Demand(refused=1)}
    assert not discarded(plan(ready(1), ready(2), ready(3, deleting_since=NOW), **seen, now=NOW + 9))
    assert discarded(plan(ready(1), ready(2), ready(3, deleting_since=NOW), **seen, now=NOW + 30))
    assert not discarded(plan(ready(1), ready(2), **seen, now=NOW + 4.9))
    assert discarded(plan(ready(1), ready(2), **seen, now=NOW + 5)) == [("p2", Waste.YIELDED)]


# Scaling to zero


def test_a_pool_that_nobody_asked_for_long_enough_has_no_pods() -> None:
    made = plan(ready(1), scale_to_zero_after_seconds=100, replicas=1, status_written_at=0.0)
    assert discarded(made) == [("p1", Waste.SURPLUS)]
    assert ready_condition(made)["reason"] == Reason.SCALED_TO_ZERO
    assert ready_condition(made)["status"] == Status.TRUE


def test_until_then_it_looks_again_at_the_right_moment() -> None:
    made = plan(ready(1), scale_to_zero_after_seconds=102, replicas=1)
    assert not discarded(made)
    assert made.requeue_after == pytest.approx(2.0)


def test_a_job_that_finds_none_fills_it_again() -> None:
    asked = Demand(last_asked=NOW - QUIET, misses=1)
    assert len(created(plan(scale_to_zero_after_seconds=100, replicas=3, demand=asked))) == 3


def test_an_operator_that_starts_knows_from_the_status_when_a_job_asked_last() -> None:
    recent = pool(replicas=1, scale_to_zero_after_seconds=100)
    recent = dataclasses.replace(recent, status={**recent.status, "lastActiveTime": format_time(NOW - 10)})
    assert not discarded(plan(ready(1), pool=recent))


def test_a_changed_spec_counts_as_use() -> None:
    changed = pool(replicas=1, scale_to_zero_after_seconds=50)
    changed = dataclasses.replace(changed, generation=2)
    assert len(created(plan(pool=changed))) == 1


# What is wrong with the spec


def test_a_profile_that_does_not_exist_stalls_the_pool_and_is_named_with_those_that_do() -> None:
    made = plan(ready(1), profile="gpu", replicas=1, status_written_at=0.0)
    assert discarded(made) == [("p1", Waste.OUTDATED)]
    assert not created(made)
    assert ready_condition(made)["reason"] == Reason.PROFILE_NOT_FOUND
    assert ready_condition(made)["message"] == "spec.profile: there is no profile 'gpu'; there are: default"
    assert made.status is not None
    assert made.status["conditions"][1]["type"] == "Stalled"


def test_a_spec_that_cannot_be_understood_stalls_the_pool() -> None:
    wrong = dataclasses.replace(pool(), spec=None, spec_error="spec.replicas: not a number")
    made = plan(pool=wrong, status_written_at=0.0)
    assert ready_condition(made)["message"] == "spec.replicas: not a number"
    assert not created(made)


# The status


def test_a_new_pool_gets_its_status_at_once() -> None:
    made = plan(pool=pool(status={}, replicas=2))
    assert ready_condition(made)["reason"] == Reason.REFILLING
    assert ready_condition(made)["status"] == Status.FALSE
    assert made.status is not None
    assert made.status["hitRate"] == "-"
    assert made.status["conditions"][1]["type"] == "Reconciling"


def test_the_status_counts_pods_and_jobs() -> None:
    demand = Demand(hits=97, misses=3, last_asked=NOW - 20)
    made = plan(ready(1), ready(2), starting(3), replicas=3, demand=demand, claimed=4, status_written_at=0.0)
    assert made.status is not None
    counted = {name: made.status[name] for name in ("replicas", "readyReplicas", "startingReplicas", "claimedReplicas")}
    assert counted == {"replicas": 3, "readyReplicas": 2, "startingReplicas": 1, "claimedReplicas": 4}
    assert (made.status["hits"], made.status["misses"], made.status["hitRate"]) == (97, 3, "97%")
    assert made.status["pods"] == ["p1", "p2", "p3"]
    assert made.status["lastActiveTime"] == format_time(NOW - 20)


def test_a_pool_that_has_been_full_stays_ready_while_it_is_refilled() -> None:
    silent = ready(2, runner={"connected": False, "silent_since": NOW - 5})
    made = plan(ready(1), silent, replicas=2, status_written_at=0.0)
    assert ready_condition(made)["status"] == Status.TRUE
    assert ready_condition(made)["reason"] == Reason.REFILLING


def test_that_runners_are_asked_is_no_reason_to_say_that_they_are_not_ready() -> None:
    asked = ready(2, runner={"connected": False, "silent_since": NOW - 0.5})
    for silent in (starting(2), asked):
        made = plan(ready(1), silent, replicas=2, status_written_at=0.0)
        assert (made.status, made.requeue_after) == (None, 1.0)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        pytest.param({"refusal": refused()}, Reason.QUOTA_EXCEEDED, id="quota"),
        pytest.param(
            {"refusal": Refusal(reason=Reason.POD_REFUSED, message="no", at=NOW, times=1)},
            Reason.POD_REFUSED,
            id="policy",
        ),
        pytest.param(
            {"pods": (ready(1, phase="Failed", exit_code=1, created=NOW),)}, Reason.RUNNER_START_FAILED, id="failed pod"
        ),
        pytest.param(
            {
                "pods": (
                    starting(
                        1,
                        scheduled=False,
                        scheduled_since=None,
                        waiting_reason="Unschedulable",
                        waiting_message="0/1 nodes are available",
                    ),
                )
            },
            Reason.UNSCHEDULABLE,
            id="no node",
        ),
        pytest.param(
            {"pods": (starting(1, waiting_reason="ErrImagePull", waiting_message="not found"),)},
            Reason.IMAGE_PULL_FAILED,
            id="no image",
        ),
    ],
)
def test_what_keeps_a_pool_from_being_full_is_its_reason(fields: dict[str, Any], reason: Reason) -> None:
    made = plan(replicas=1, status_written_at=0.0, **fields)
    assert ready_condition(made)["reason"] == reason
    assert ready_condition(made)["status"] == Status.FALSE


def settled(**changes: Any) -> PoolSnapshot:
    """Return a pool of two ready pods whose status is what it should be, but for these changes."""
    made = plan(ready(1), ready(2), replicas=2, status_written_at=0.0)
    assert made.status is not None
    return dataclasses.replace(pool(replicas=2), status={**made.status, **changes})


def test_a_pool_in_which_nothing_changes_is_left_alone() -> None:
    made = plan(ready(1), ready(2), pool=settled(), status_written_at=0.0)
    assert (made.actions, made.status) == ((), None)
    assert made.requeue_after == pytest.approx(86_400 + START + 1 - NOW)


def test_counters_are_written_once_in_a_while_when_no_job_asks() -> None:
    seen: dict[str, Any] = {"pool": settled(), "demand": Demand(hits=1, last_asked=NOW)}
    assert plan(ready(1), ready(2), **seen, status_written_at=0.0).status is None
    assert plan(ready(1), ready(2), **seen, status_written_at=0.0).requeue_after == QUIET
    assert plan(ready(1), ready(2), **seen, status_written_at=0.0, now=NOW + QUIET).status is not None
    assert plan(ready(1), ready(2), **seen, status_written_at=NOW, now=NOW + 4.9).status is None


def test_many_jobs_are_written_though_they_leave_no_quiet_moment() -> None:
    seen: dict[str, Any] = {"pool": settled(), "demand": Demand(hits=20, last_asked=NOW)}
    assert plan(ready(1), ready(2), **seen, status_written_at=NOW - 4.9).status is None
    assert plan(ready(1), ready(2), **seen, status_written_at=NOW - 5).status is not None


def test_a_new_pod_is_in_the_status_soon_so_that_the_next_operator_believes_it() -> None:
    seen: dict[str, Any] = {"pool": settled(pods=["p1"]), "status_written_at": NOW - 60, "made": frozenset({"p2"})}
    young = ready(2, created=NOW - 0.5)
    assert plan(ready(1), young, **seen).status is None
    made = plan(ready(1), young, **seen, now=NOW + 0.5)
    assert made.status is not None
    assert made.status["pods"] == ["p1", "p2"]


def test_trouble_is_written_at_once_but_not_again_and_again() -> None:
    seen: dict[str, Any] = {"pool": settled(), "refusal": refused()}
    assert plan(ready(1), **seen, status_written_at=NOW - 1).status is not None
    held = plan(ready(1), **seen, status_written_at=NOW - 0.4)
    assert held.status is None
    assert held.requeue_after == pytest.approx(0.6)
