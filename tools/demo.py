"""``make demo``: run the program ``sample-program`` on the cluster of KUBECONFIG and show what a user would see."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import yaml
from kubernetes import client, config, watch

ROOT = Path(__file__).resolve().parent.parent
NAMESPACE = "quantum-demo"
GROUP, VERSION, JOBS = "quantumruntime.dev", "v1alpha1", "runtimejobs"
PATIENCE_SECONDS = 120
RESTRICTED = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn")}


def main() -> int:
    """Apply program and job, follow the job, print its result; return 0 if it completed."""
    config.load_kube_config()
    _namespace()
    _kubectl("apply", "--kustomize", str(ROOT / "programs/sample_program"))
    name = f"sample-{time.strftime('%H%M%S')}"
    body = {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": "RuntimeJob",
        "metadata": {"name": name},
        "spec": {"programRef": {"name": "sample-program"}, "inputs": {"iterations": 3}},
    }
    print(f"\n$ kubectl apply -f job.yaml\n{yaml.safe_dump(body, sort_keys=False)}")
    api = client.CustomObjectsApi()
    api.create_namespaced_custom_object(GROUP, VERSION, NAMESPACE, JOBS, body)
    status = _follow(api, name)
    if status.get("phase") != "Completed":
        print(f"\nthe job did not complete: {json.dumps(status.get('failure', status), indent=2)}")
        return 1
    print(f"\nresult   {status['result']}")
    print(f"ran for  {status['executionSeconds']} s after {status['queuedSeconds']} s in the queue")
    print("\nTry next (the first line makes the cluster and its kubectl yours in this shell):")
    print('  eval "$(tests/cluster/cluster env)"')
    print(f"  kubectl --namespace {NAMESPACE} get rtj")
    print(f"  kubectl --namespace {NAMESPACE} describe rtj {name}")
    print(f"  kubectl --namespace {NAMESPACE} get rtj {name} -o jsonpath='{{.status.logs.tail}}'")
    return 0


def _follow(api: client.CustomObjectsApi, name: str) -> dict[str, Any]:
    """Print phases and interim results as they arrive, until the job is over."""
    phase, seen = "", 0
    stream = watch.Watch().stream(
        api.list_namespaced_custom_object,
        GROUP,
        VERSION,
        NAMESPACE,
        JOBS,
        field_selector=f"metadata.name={name}",
        timeout_seconds=PATIENCE_SECONDS,
    )
    status: dict[str, Any] = {}
    for event in stream:
        status = event["object"].get("status", {})
        for interim in status.get("interimResults", {}).get("latest", []):
            if interim["seq"] > seen:
                seen = interim["seq"]
                print(f"interim  {interim['value'][:100]}")
        if status.get("phase") != phase:
            phase = str(status.get("phase"))
            print(f"phase    {phase}")
        if phase in ("Completed", "Failed", "Cancelled"):
            break
    return status


def _namespace() -> None:
    metadata = client.V1ObjectMeta(name=NAMESPACE, labels=RESTRICTED)
    try:
        client.CoreV1Api().create_namespace(client.V1Namespace(metadata=metadata))
    except client.ApiException as error:
        if error.status != 409:
            raise


def _kubectl(*arguments: str) -> None:
    subprocess.run(["kubectl", "--namespace", NAMESPACE, *arguments], check=True)


if __name__ == "__main__":
    sys.exit(main())
