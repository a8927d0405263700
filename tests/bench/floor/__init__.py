"""The floor: what no design can avoid, and nothing else.

A process of its own, as the operator is one: it watches jobs of a kind of the bench's own, and for each of them sends
one guarded PATCH of a pod that is ready, one line to it over a stream that is open, reads one result back, and sends
one PATCH of the job's status. Pods, runner and program are the product's; so the difference is the operator. It does
not refill while jobs arrive, nor does the pool that it is compared with; and it checks nothing, remembers nothing and
survives nothing.

It is told on stdin, one number per line, how many pods to have ready, and says ``ready`` when it has.
"""

from __future__ import annotations

from runtime_operator.kube.client import Resource

GROUP, VERSION = "bench.quantumruntime.dev", "v1"
FLOOR_JOBS = Resource(GROUP, VERSION, "floorjobs")
JOB_LABEL = "bench-job"
"""On a claimed pod: whose it is."""
