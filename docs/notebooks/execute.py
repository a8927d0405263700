"""Execute the notebook on the cluster of KUBECONFIG, in a namespace made for it, and write its outputs into it.

With ``--check`` it is left as it is, and the differences are printed: those that are left when names, times and
counts, which are others each time, are the same. ``tests/e2e/client/test_notebook.py`` does the same in the tests'
namespace, with the rights of an ordinary user.
"""

from __future__ import annotations

import difflib
import os
import re
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nbformat import NotebookNode

NOTEBOOK = Path(__file__).parent / "provider-runtime.ipynb"
CATALOG = Path(__file__).parents[2] / "programs" / "manifests" / "production"
CELL_SECONDS = 180

_OTHER_EACH_TIME = (
    (r"\bsample-program-[a-z0-9]{10}\b", "JOB"),
    (r"\bin the namespace \S+", "in the namespace NAMESPACE"),
    (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?", "TIME"),
    (r"\{'[01]+': \d+(, '[01]+': \d+)*\}", "COUNTS"),
    (r"\b\d+(\.\d+)? s\b", "SECONDS"),
)
_BETWEEN_PROGRAMS = "=" * 50 + "\n"


def main() -> int:
    """Execute it; return 1 if it is to be checked, and differs."""
    check = sys.argv[1:] == ["--check"]
    stored = read()
    namespace = f"notebook-{uuid.uuid4().hex[:8]}"
    _kubectl("create", "namespace", namespace)
    try:
        _kubectl("apply", "--server-side", "--kustomize", str(CATALOG))
        with tempfile.TemporaryDirectory() as folder:
            kubeconfig = Path(folder) / "kubeconfig"
            kubeconfig.write_text(_kubectl("config", "view", "--raw", "--minify", "--flatten"))
            kubeconfig.chmod(0o600)
            _kubectl("--kubeconfig", str(kubeconfig), "config", "set-context", "--current", f"--namespace={namespace}")
            executed = execute(stored, kubeconfig)
    finally:
        _kubectl("delete", "namespace", namespace, "--wait=false")
    if check:
        print(difference := differences(stored, executed))
        return 1 if difference else 0
    nbformat.write(executed, NOTEBOOK)
    return 0


def read() -> NotebookNode:
    """Return the notebook as it is stored."""
    notebook: NotebookNode = nbformat.read(NOTEBOOK, as_version=4)
    return notebook


def execute(notebook: NotebookNode, kubeconfig: Path) -> NotebookNode:
    """Return the notebook with the outputs it has with this kubeconfig, on the Python that runs this.

    Raises:
        CellExecutionError: an exception ended a cell.
    """
    fresh: NotebookNode = nbformat.from_dict(notebook)
    environment = {name: value for name, value in os.environ.items() if name not in ("MPLBACKEND", "PYTHONPATH")}
    with tempfile.TemporaryDirectory() as sockets:
        kernel = AsyncKernelManager(
            kernel_spec_manager=KernelSpecManager(kernel_dirs=[]),  # or one of another Python might be found
            transport="ipc",
            ip=f"{sockets}/kernel",
        )
        client = NotebookClient(
            fresh, km=kernel, timeout=CELL_SECONDS, kernel_name="python3", coalesce_streams=True, record_timing=False
        )
        client.execute(cleanup_kc=True, env=environment | {"KUBECONFIG": str(kubeconfig)})
    fresh.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    return fresh


def differences(stored: NotebookNode, executed: NotebookNode) -> str:
    """Return what is other in the outputs than it was, line by line; empty if that is nothing."""
    lines = difflib.unified_diff(list(_lines(stored)), list(_lines(executed)), "stored", "executed", lineterm="", n=3)
    return "\n".join(lines)


def _lines(notebook: NotebookNode) -> Iterator[str]:
    """Yield the cells and their outputs as text, without what is other each time."""
    for number, cell in enumerate(notebook.cells, 1):
        yield f"--- cell {number} ---"
        yield from cell.source.splitlines()
        for output in cell.get("outputs", []):
            yield from normalised(_text(output)).splitlines()


def _text(output: Any) -> str:
    if output.output_type == "stream":
        return f"{output.name}:\n{output.text}"
    others = " ".join(sorted(set(output.data) - {"text/plain"}))
    return f"{others}\n{output.data.get('text/plain', '')}"


def normalised(text: str) -> str:
    """Return an output without what is other each time, and without programs that are not of the public catalogue."""
    for pattern, word in _OTHER_EACH_TIME:
        text = re.sub(pattern, word, text)
    if _BETWEEN_PROGRAMS not in text:
        return text
    ours = {path.stem for path in CATALOG.glob("*.yaml")}
    head, *programs = text.split(_BETWEEN_PROGRAMS)
    return _BETWEEN_PROGRAMS.join([head, *(one for one in programs if one.partition(":")[0] in ours)])


def _kubectl(*arguments: str) -> str:
    return subprocess.run(["kubectl", *arguments], check=True, stdout=subprocess.PIPE, text=True).stdout


if __name__ == "__main__":
    sys.exit(main())
