"""What jobs ask of a pool, as it is counted."""

from __future__ import annotations

import pytest
from runtime_operator.observe.demand import Ledger
from runtime_operator.observe.pools import Demand, PoolSnapshot, parse_pool
from support.clock import START

POOL_UID = "pool-uid"


def pool(**status: int) -> PoolSnapshot:
    meta = {"namespace": "default", "name": "a-pool", "uid": POOL_UID, "creationTimestamp": "2026-01-01T00:00:00Z"}
    return parse_pool({"metadata": meta, "spec": {}, "status": status})


def after(*moments: float, hit: bool = True) -> Demand:
    """Return what is known when jobs asked at these moments, in seconds."""
    ledger = Ledger()
    ledger.open(pool())
    for moment in moments:
        ledger.asked(POOL_UID, START + moment, hit=hit)
    return ledger.of(pool(), "default")


def test_counting_goes_on_where_the_operator_before_ended() -> None:
    ledger = Ledger()
    ledger.open(pool(hits=7, misses=2))
    ledger.asked(POOL_UID, START, hit=True)
    ledger.asked(POOL_UID, START + 1, hit=False)
    demand = ledger.of(pool(), "default")
    assert (demand.hits, demand.misses) == (8, 3)
    assert (demand.last_asked, demand.last_missed) == (START + 1, START + 1)


def test_a_pool_that_is_gone_counts_nothing() -> None:
    ledger = Ledger()
    ledger.open(pool())
    ledger.close(POOL_UID)
    ledger.asked(POOL_UID, START, hit=True)
    assert ledger.of(pool(), "default") == Demand()


def test_a_hit_is_no_miss() -> None:
    assert after(1.0).last_missed == 0.0


@pytest.mark.parametrize("per_second", [0.5, 1.0, 4.0, 50.0])
def test_jobs_that_come_evenly_for_long_have_the_rate_at_which_they_come(per_second: float) -> None:
    demand = after(*(n / per_second for n in range(int(40 * per_second))))
    assert demand.rate == pytest.approx(per_second, abs=0.15)


def test_a_burst_after_a_pause_is_noticed_with_its_first_jobs() -> None:
    assert after(0, 300.0).rate == pytest.approx(0.2)
    assert after(0, 300.0, 300.1, 300.2, 300.3, 300.4, 300.5).rate > 1.0


def test_the_rate_falls_when_nobody_asks() -> None:
    demand = after(*(n / 4 for n in range(100)))
    moment = demand.falls_to(1.0)
    assert demand.last_asked < moment < demand.last_asked + 8
    later = after(*(n / 4 for n in range(100)), moment - START)
    assert later.rate == pytest.approx(1.2), "the one that has just asked, and what was left of those before"


def test_a_rate_that_is_low_enough_has_no_need_to_fall() -> None:
    assert after(3.0).falls_to(1.0) == START + 3


def test_a_clock_that_was_set_back_does_not_make_the_rate_grow() -> None:
    assert after(100.0, 50.0).rate == pytest.approx(0.4)


def test_jobs_that_start_or_are_refused_are_counted_where_they_are_and_once() -> None:
    ledger = Ledger()
    ledger.open(pool())
    for _ in range(2):
        ledger.starting("a", "default", "default")
        ledger.refused("b", "default")
    ledger.starting("c", "default", "science")
    ledger.starting("d", "elsewhere", "default")
    assert (ledger.of(pool(), "default").waiting, ledger.of(pool(), "default").refused) == (1, 1)
    ledger.started("a")
    ledger.accepted("b")
    assert (ledger.of(pool(), "default").waiting, ledger.is_refused_in("default")) == (0, False)
    assert ledger.of(pool(), "science").waiting == 1
