"""What Prometheus may ask: about pools, claims, writes and streams. Labels are names of objects and of our own lists.

Nothing that a user wrote is in a label but the names of namespaces and pools, which few may create.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from runtime_operator.decide.plan import Waste
from runtime_operator.decide.warm import is_ready

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from prometheus_client.metrics_core import Metric

    from runtime_operator.observe.pools import ObservedPool

PREFIX = "quantum_runtime"
_CLAIM_BUCKETS = (0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300)
_AGE_BUCKETS = (1, 10, 60, 600, 3600, 6 * 3600, 86400)
_STATES = ("ready", "other", "claimed", "wanted")
_RESULTS = ("hit", "miss")


class Metrics:
    """The operator's metrics in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.claims = Histogram(
            f"{PREFIX}_job_claim_seconds",
            "From the first sight of a job to the moment its pod is claimed and its status promises the job to it.",
            ["path"],
            buckets=_CLAIM_BUCKETS,
            registry=self.registry,
        )
        self.ended = Counter(
            f"{PREFIX}_jobs_ended", "Jobs that have ended, by phase.", ["phase"], registry=self.registry
        )
        self.asked = Counter(
            f"{PREFIX}_pool_jobs",
            "Jobs that took a pod of a pool (hit), or found none ready and started cold (miss).",
            ["namespace", "pool", "result"],
            registry=self.registry,
        )
        self.ages = Histogram(
            f"{PREFIX}_pool_pod_age_seconds",
            "Age of a pool's pod when a job takes it.",
            ["namespace", "pool"],
            buckets=_AGE_BUCKETS,
            registry=self.registry,
        )
        self.wasted = Counter(
            f"{PREFIX}_pool_pods_wasted",
            "Pods of a pool that were deleted without having had a job, by reason.",
            ["namespace", "pool", "why"],
            registry=self.registry,
        )
        self.pods = Gauge(
            f"{PREFIX}_pool_pods",
            "Pods of a pool: ready, other (starting, failed, ending), claimed by jobs; and how many are wanted.",
            ["namespace", "pool", "state"],
            registry=self.registry,
        )

    def show_pool(self, observed: ObservedPool) -> None:
        """Tell how many pods a pool has, or that there is no such pool any more."""
        where, pool = (observed.key.namespace, observed.key.name), observed.pool
        if pool is None:
            for metric, values in ((self.pods, _STATES), (self.asked, _RESULTS), (self.wasted, tuple(Waste))):
                for value in values:
                    metric.remove(*where, value)
            self.ages.remove(*where)
            return
        ready = sum(is_ready(entry.pod, entry.runner) and not entry.taken for entry in observed.pods)
        counts = (ready, len(observed.pods) - ready, observed.claimed, pool.spec.replicas if pool.spec else 0)
        for state, count in zip(_STATES, counts, strict=True):
            self.pods.labels(*where, state).set(count)

    def watch(self, writes: Mapping[str, int], waiting: Callable[[], int], streams: Callable[[], int]) -> None:
        """Tell also what others count, at the moment somebody asks.

        Args:
            writes: Requests to the API server that change something, by ``"verb resource[/subresource]"``.
            waiting: How many objects wait to be worked on.
            streams: How many streams to runners are open.
        """
        self.registry.register(_Others(writes, waiting, streams))

    def serve(self, port: int) -> None:
        """Answer ``/metrics`` on this port from a thread of its own, until the process ends."""
        start_http_server(port, registry=self.registry)


class _Others:
    def __init__(self, writes: Mapping[str, int], waiting: Callable[[], int], streams: Callable[[], int]) -> None:
        self._writes, self._waiting, self._streams = writes, waiting, streams

    def collect(self) -> Iterator[Metric]:
        writes = CounterMetricFamily(
            f"{PREFIX}_api_writes", "Requests to the API server that change something.", labels=["verb", "resource"]
        )
        for what, count in dict(self._writes).items():
            writes.add_metric(what.split(" ", 1), count)
        yield writes
        yield GaugeMetricFamily(f"{PREFIX}_queue_length", "Objects that wait to be worked on.", self._waiting())
        yield GaugeMetricFamily(f"{PREFIX}_open_streams", "Attach streams to runners.", self._streams())
