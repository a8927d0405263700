"""The plain alternative: a pod of the runner image that runs a script with ``python``, without any operator."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from runtime_operator.api import names
from runtime_operator.build.namespace import runner_service_account
from runtime_operator.build.pod import runner_pod
from runtime_operator.kube.client import SERVICE_ACCOUNTS

if TYPE_CHECKING:
    from runtime_operator.config import Profile
    from runtime_operator.kube.client import Kube, Object

_BEFORE = """\
import json, time
print(json.dumps({"python": time.time()}), flush=True)
"""
_AFTER = """
from qiskit_aer import AerSimulator
class Messenger:
    def publish(self, message): print(json.dumps({"entered": message}), flush=True)
print(json.dumps(main(AerSimulator(), Messenger())), flush=True)
"""
MOMENTS = {"python": "python started", "entered": "main entered"}


def script(program: str) -> str:
    """Return a script that runs the program as its author would: with Aer imported, what it publishes printed.

    It prints when its first line was reached, what the program published first (a moment), and the result.
    """
    return _BEFORE + program + _AFTER


def manifest(name: str, namespace: str, profile: Profile, command: tuple[str, ...] = ()) -> Object:
    """Return a pod with the spec of a runner pod of this profile, but nothing that makes the operator look at it."""
    changed = profile.model_copy(update={"command": command}) if command else profile
    pod = runner_pod(
        job_name=name,
        job_uid=name,
        namespace=namespace,
        attempt=0,
        profile_name="bare",
        profile=changed,
        deadline_seconds=3600,
    )
    metadata: dict[str, Any] = {"name": name, "namespace": namespace, "labels": {"bench": "bare"}}
    return {**pod, "metadata": metadata}


async def prepare(kube: Kube, namespace: str) -> None:
    """Make the service account that a runner pod's spec names."""
    await kube.create(SERVICE_ACCOUNTS, namespace, runner_service_account(namespace))


async def moments(kube: Kube, namespace: str, pod: str, container: str = names.RUNNER_CONTAINER) -> dict[str, float]:
    """Return the moments that the script has printed.

    Raises:
        LookupError: it has printed something else.
    """
    journal = await kube.pod_log(namespace, pod, container)
    lines = [json.loads(line) for line in (journal or b"").splitlines() if line.startswith(b"{")]
    printed = {MOMENTS[key]: float(value) for line in lines for key, value in line.items() if key in MOMENTS}
    if len(printed) != len(MOMENTS):
        raise LookupError(f"pod {pod} has printed {(journal or b'nothing').decode()!r}")
    return printed
