"""A runner image that the node does not have, and a registry that has it.

The registry is a pod in the node's own network, so that containerd, which takes localhost without TLS, can pull from
it wherever the tests run. What it serves is the runner image as one compressed layer under another name: the layers of
the image itself would still be on the node as those of others. So a pull here costs unpacking and no network; from a
registry elsewhere it costs more.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gzip
import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runtime_operator.kube.client import PODS, Resource

from bench import cluster
from bench.warm.product import Product

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from runtime_operator.kube.client import Kube, Object

PROFILE = "missing"
REPOSITORY, TAG, PORT = "quantum-runtime/runner", "bench", 5999
REFERENCE = f"localhost:{PORT}/{REPOSITORY}:{TAG}"
SPARE = "localhost/quantum-runtime/bench:spare"
ON_NODE = "/var/lib/quantum-runtime-bench"
NODES = Resource("", "v1", "nodes", namespaced=False)
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "quantum-runtime" / "bench-image"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
START_SECONDS = 60
REMOVE_SECONDS = 60

SERVER = f"""
import http.server, pathlib, shutil
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self, body=True):
        kind, name = self.path.split("/")[-2:]
        path = pathlib.Path("/image", name.replace(":", "-"))
        if self.path != "/v2/" and (kind not in ("manifests", "blobs") or not path.exists()):
            return self.send_error(404)
        self.send_response(200)
        self.send_header("Content-Type", "{MANIFEST}" if kind == "manifests" else "application/octet-stream")
        self.send_header("Content-Length", str(path.stat().st_size if self.path != "/v2/" else 0))
        self.end_headers()
        if body and self.path != "/v2/":
            with path.open("rb") as file:
                shutil.copyfileobj(file, self.wfile, 1 << 20)
    def do_HEAD(self):
        self.do_GET(body=False)
    def log_message(self, *_):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", {PORT}), Handler)
print("serving", flush=True)
server.serve_forever()
"""


class MissingImage(Product):
    """Jobs of a profile whose image is taken off the node before every loop."""

    async def __aexit__(self, *error: object) -> None:
        await super().__aexit__(*error)
        if error[0] is None:
            await self.ready(0)

    async def ready(self, jobs: int) -> None:
        """Wait until no pod is left, and then remove the image.

        Raises:
            RuntimeError: it cannot be removed.
        """
        await super().ready(jobs)
        try:
            async with asyncio.timeout(REMOVE_SECONDS):
                while not await asyncio.to_thread(self._removed):  # noqa: ASYNC110 - nothing is measured here
                    await asyncio.sleep(cluster.POLL_SECONDS)
        except TimeoutError as error:
            message = f"{REFERENCE} is still unpacked after {REMOVE_SECONDS} s: does a pod of another namespace use it?"
            raise RuntimeError(message) from error

    def _removed(self) -> bool:
        """Remove every name that keeps the image on the node; say whether its files are gone, too."""
        digests = json.loads((CACHE / "digests.json").read_text())
        image = f"localhost:{PORT}/{REPOSITORY}@{digests['manifest']}"
        # containerd looks for what nobody needs when a name goes. A container may need the files until a moment after
        # its pod is gone, when the image's own names have gone already: so there is one more name each time.
        _ctr("images", "tag", "--force", _ctr("images", "ls", "--quiet").split()[0], SPARE)
        for name in (REFERENCE, image, digests["config"], SPARE):
            _ctr("images", "rm", "--sync", name, check=False)
        return digests["files"] not in _ctr("snapshots", "ls")


@contextlib.asynccontextmanager
async def registry(kube: Kube, namespace: str, image: str) -> AsyncIterator[int]:
    """Serve this image under the other name; the value is its size in compressed bytes."""
    size = await asyncio.to_thread(_prepare, image)
    await kube.create(PODS, namespace, _pod(namespace, image))
    try:
        async with asyncio.timeout(START_SECONDS):
            while b"serving" not in (await kube.pod_log(namespace, "registry", "registry") or b""):  # noqa: ASYNC110
                await asyncio.sleep(cluster.POLL_SECONDS)
        yield size
    finally:
        await asyncio.to_thread(_run, "docker", "exec", _only_node(), "rm", "-rf", ON_NODE)


def _prepare(image: str) -> int:
    """Bring the image's single layer, configuration and manifest to the node; return the layer's size."""
    described = json.loads(_run("docker", "image", "inspect", image))[0]
    digests_file = CACHE / "digests.json"
    if not digests_file.exists() or json.loads(digests_file.read_text())["of"] != described["Id"]:
        shutil.rmtree(CACHE, ignore_errors=True)
        CACHE.mkdir(parents=True)
        digests_file.write_text(json.dumps(_flatten(described)))
    node = _only_node()
    _run("docker", "exec", node, "rm", "-rf", ON_NODE)
    _run("docker", "cp", str(CACHE), f"{node}:{ON_NODE}")
    _run("docker", "exec", node, "chmod", "-R", "a+rX", ON_NODE)
    size: int = json.loads(digests_file.read_text())["size"]
    return size


def _flatten(described: dict[str, Any]) -> dict[str, Any]:
    """Write the image as one layer into the cache; return what its parts are called."""
    container = _run("docker", "create", "--entrypoint", "/bin/true", described["Id"]).strip()
    plain, layer = hashlib.sha256(), CACHE / "layer"
    try:
        with (
            subprocess.Popen(["docker", "export", container], stdout=subprocess.PIPE) as export,
            gzip.GzipFile(layer, "wb", compresslevel=1, mtime=0) as packed,
        ):
            assert export.stdout is not None
            while piece := export.stdout.read(1 << 20):
                plain.update(piece)
                packed.write(piece)
    finally:
        _run("docker", "rm", container)
    files, keys = f"sha256:{plain.hexdigest()}", ("Entrypoint", "Cmd", "Env", "User", "WorkingDir")
    config = _keep(
        {
            "architecture": described["Architecture"],
            "os": described["Os"],
            "config": {key: described["Config"][key] for key in keys if described["Config"].get(key)},
            "rootfs": {"type": "layers", "diff_ids": [files]},
        }
    )
    with layer.open("rb") as file:
        digest = f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
    layer = layer.rename(CACHE / digest.replace(":", "-"))
    size = layer.stat().st_size
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", **config},
        "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": digest, "size": size}],
    }
    kept = _keep(manifest)
    (CACHE / TAG).write_text(json.dumps(manifest))
    return {
        "of": described["Id"],
        "manifest": kept["digest"],
        "config": config["digest"],
        "files": files,
        "size": size,
    }


def _keep(body: dict[str, Any]) -> dict[str, Any]:
    """Write this under its digest; return how a manifest refers to it."""
    text = json.dumps(body)
    digest = f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
    (CACHE / digest.replace(":", "-")).write_text(text)
    return {"digest": digest, "size": len(text)}


def _pod(namespace: str, image: str) -> Object:
    container = {
        "name": "registry",
        "image": image,
        "imagePullPolicy": "Never",
        "command": ["python3", "-c", SERVER],
        "volumeMounts": [{"name": "image", "mountPath": "/image", "readOnly": True}],
    }
    spec = {
        "hostNetwork": True,
        "terminationGracePeriodSeconds": 0,
        "containers": [container],
        "volumes": [{"name": "image", "hostPath": {"path": ON_NODE}}],
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "registry", "namespace": namespace}, "spec": spec}


@functools.cache
def _only_node() -> str:
    """Return the node's name, which in kind is that of its container."""
    return _run("kubectl", "get", "nodes", "--output=jsonpath={.items[0].metadata.name}").strip()


def _ctr(*arguments: str, check: bool = True) -> str:
    return _run("docker", "exec", _only_node(), "ctr", "--namespace", "k8s.io", *arguments, check=check)


def _run(*command: str, check: bool = True) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if check and done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout
