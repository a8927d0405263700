"""The API server dies while a program runs and its user listens."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from e2e.support.counting import COUNTING, Heard
from quantum_runtime import RuntimeService

if TYPE_CHECKING:
    from e2e.support.cluster import Cluster, Space

NODE = "quantum-runtime-control-plane"


def test_an_api_server_that_is_restarted_in_mid_stream_loses_nothing(cluster: Cluster, space: Space) -> None:
    counting = space.program(COUNTING, name="counting")
    service = RuntimeService(namespace=space.name, kubeconfig=cluster.kubeconfig)
    heard = Heard(at_number=10)
    job = service.run(counting, inputs={"count": 150, "pause": 0.1}, callback=heard)
    assert heard.reached.wait(60)
    kill = "kill -9 $(pidof kube-apiserver)"  # the kubelet starts another one
    subprocess.run(["docker", "exec", NODE, "sh", "-c", kill], check=True)
    assert job.result(timeout=200) == "x" * 100_000
    assert heard.numbers == list(range(150))
    assert [other.job_id() for other in service.jobs(limit=1)] == [job.job_id()]
    assert service.run(counting, inputs={"count": 1}).result(timeout=200) == 1, "and the next job runs"
