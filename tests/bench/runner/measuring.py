"""Runs runners and plain processes, one at a time and in turn, and notes what they take."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import tempfile
import time
from collections import defaultdict
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runner.harness import Runner, make_job
from runner.representative import PROGRAMS, SAMPLE_PROGRAM, Representative
from runtime_runner import backend_names, contract

from bench.runner import image

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

INSIDE = Path(__file__).with_name("inside.py")
STATES = ("ready", "warm")
QUIET_SECONDS = 0.4
"""A worker that has used no CPU for so long is waiting for its job."""

TWICE = f"""\
import sys, time
from runtime_runner import encoding

def main(backend, user_messenger, **inputs):
    sys.dont_write_bytecode = True
    taken = []
    for pause in (0, 0, {QUIET_SECONDS}):
        time.sleep(pause)
        begin = time.perf_counter()
        import subject
        encoding.to_text(subject.main(backend, user_messenger, **inputs))
        taken.append((time.perf_counter() - begin) * 1e3)
        del sys.modules["subject"]
    return taken
"""
"""Runs another program of its folder, from its import to its result as text, once more at once, and once more after a
pause like the one before the first: meanwhile other processes have the CPU's caches."""

ENTERED = "import time\ndef main(backend, user_messenger):\n    return time.time()\n"

PLAIN = """
if __name__ == "__main__":
    from types import SimpleNamespace
    from qiskit_aer import AerSimulator
    print(main(AerSimulator(), SimpleNamespace(publish=print), iterations=3, seed=1))
"""
"""What a user adds to a program to run it with ``python``."""

Figures = dict[str, dict[str, list[Any]]]


async def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Return the raw figures: milliseconds, and megabytes of memory."""
    return await asyncio.to_thread(_measure, max(2, options.runs // 2))


def _measure(runs: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="bench-runner-") as folder:
        python = str(image.make(Path(folder, "image")))
        plain = Path(folder, "sample_program.py")
        plain.write_text(SAMPLE_PROGRAM.read_text() + PLAIN)
        _inside(python, "stages")  # writes byte code and brings the files into memory, as an image and a node have them
        programs: Figures = {name: defaultdict(list) for name in PROGRAMS}
        entered: Figures = {name: defaultdict(list) for name in ("aer", "generic-5", "fake-montreal")}
        steps: dict[str, list[Any]] = defaultdict(list)
        starts: dict[str, list[float]] = defaultdict(list)
        sample: dict[str, list[float]] = defaultdict(list)
        stages: list[Any] = []
        for _ in range(runs):
            _start_up(python, starts)
            stages.append(_inside(python, "stages"))
            sample["python"].append(_taken(lambda: subprocess.run([python, plain], check=True, capture_output=True)))
            for state in STATES:
                sample[state].append(_run_sample(python, state))
                steps[state].append(list(_inside(python, "hand-over", state).items()))
                for backend, found in entered.items():
                    found[state].append(_line_to_main(python, state, backend))
            for name, one in PROGRAMS.items():
                programs[name]["bare"].append(_inside(python, "bare", one.source, one.backend, json.dumps(one.inputs)))
                for state in STATES:
                    programs[name][state].append(_twice(python, state, one))
        return {
            "runs": runs,
            "programs": [{"name": name, **found} for name, found in programs.items()],
            "sample": sample,
            "entered": entered,
            "hand_over": steps,
            "starts": starts,
            "stages": stages,
            "idle": [_idle_memory(python) for _ in range(min(runs, 3))],
        }


def _inside(python: str, *arguments: str) -> Any:
    # -I: as the worker is started; the script's own folder is not on the path
    command = [python, "-I", str(INSIDE), *arguments]
    with tempfile.TemporaryDirectory(prefix="bench-runner-") as scratch:
        environment = {**os.environ, "TMPDIR": scratch}
        answer = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    return json.loads(answer.stdout)


def _taken(action: Callable[[], object]) -> float:
    begin = time.perf_counter()
    action()
    return (time.perf_counter() - begin) * 1e3


def _start_up(python: str, starts: dict[str, list[float]]) -> None:
    """Note how soon a runner is ready and then warm, and what importing the same takes without a runner."""
    imports = [python, "-I", "-c", "import qiskit, qiskit_aer"]
    starts["import qiskit, qiskit_aer"].append(_taken(lambda: subprocess.run(imports, check=True)))
    begin = time.perf_counter()
    with _runner(python) as runner:
        ready = runner.wait_for(contract.Ready)
        starts["ready"].append((time.perf_counter() - begin) * 1e3)
        starts["imports"].append(ready.warmup_seconds * 1e3)


@contextmanager
def _runner(python: str, state: str = "") -> Iterator[Runner]:
    """Start a runner and wait until it is ready, or warm."""
    with tempfile.TemporaryDirectory(prefix="bench-runner-") as scratch:
        runner = Runner([python, "-I"], environment={"TMPDIR": scratch})
        try:
            if state:
                runner.wait_for(contract.Ready)
            if state == "warm":
                _wait_until_quiet(_worker(runner))
            yield runner
        finally:
            runner.close()


def _worker(runner: Runner) -> int:
    supervisor = runner.process.pid
    return int(Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text().split()[0])


def _wait_until_quiet(pid: int) -> None:
    used = -1
    while (now := int(Path(f"/proc/{pid}/schedstat").read_text().split()[0])) != used:
        used = now
        time.sleep(QUIET_SECONDS)


def _run_sample(python: str, state: str) -> float:
    job = make_job(SAMPLE_PROGRAM.read_text(), {"iterations": 3, "seed": 1}, backend_name="aer", backend={"aer": {}})
    with _runner(python, state) as runner:
        begin = time.perf_counter()
        runner.send(job)
        runner.wait_for(contract.Result)
        return (time.perf_counter() - begin) * 1e3


def _line_to_main(python: str, state: str, backend: str) -> float:
    job = make_job(ENTERED, backend_name=backend, backend=backend_names.resolve(backend))
    with _runner(python, state) as runner:
        begin = time.time()  # the program's clock
        runner.send(job)
        return (float(runner.wait_for(contract.Result).text) - begin) * 1e3


def _twice(python: str, state: str, one: Representative) -> list[float]:
    job = make_job(
        "",
        one.inputs,
        files={"main.py": TWICE, "subject.py": one.source},
        backend_name=one.backend,
        backend=backend_names.resolve(one.backend),
    )
    with _runner(python, state) as runner:
        runner.send(job)
        found: list[float] = json.loads(runner.wait_for(contract.Result).text)
        return found


def _idle_memory(python: str) -> dict[str, dict[str, float]]:
    """Return what the two processes of a warm runner hold, in MB, beside a second runner of the same image."""
    with _runner(python, "warm"), _runner(python, "warm") as runner:
        return {"supervisor": _memory(runner.process.pid), "worker": _memory(_worker(runner))}


def _memory(pid: int) -> dict[str, float]:
    """Return resident and anonymous memory in MB; what is not anonymous are files, shared with the node's others.

    The supervisor forbids inspection: of it, only root is told more (``smaps_rollup``).
    """
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    fields = dict(line.split(":", 1) for line in lines)
    return {name: int(fields[field].split()[0]) / 1024 for name, field in _FIELDS.items()}


_FIELDS = {"rss": "VmRSS", "anonymous": "RssAnon", "files": "RssFile"}
