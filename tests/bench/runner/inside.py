"""What is measured inside a process that is the worker: run by the interpreter of an image, prints JSON.

``hand-over`` [warm]
    The milliseconds of each step from the job's line to the entered ``main``, in a runner that is ready or warm.
``stages``
    Memory (MB) after each stage of the start, and the milliseconds of each step of the later warm-up.
``bare`` SOURCE BACKEND INPUTS
    The milliseconds of a program's first and second run in a process that was nothing before.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any


def hand_over(kind: str) -> dict[str, float]:
    """Do what the worker does with a job's line, step by step."""
    from runtime_runner import backends, contract, encoding, messenger, program, warming, worker

    worker.warm_up()
    if kind == "warm":
        for _ in warming.steps():
            pass
    job = contract.Job(
        job_uid="uid",
        job_name="name",
        attempt=1,
        files={"main.py": "def main(backend, user_messenger, iterations):\n    return {'iterations': iterations}\n"},
        entrypoint="main.py",
        inputs={"iterations": 3},
        backend_name="aer",
        backend={"aer": {}},
        limits=contract.Limits(execution_seconds=60),
    )
    line = contract.encode(job)
    taken: dict[str, float] = {}
    begin = time.perf_counter()

    def done(what: str) -> None:
        nonlocal begin
        taken[what] = (time.perf_counter() - begin) * 1e3
        begin = time.perf_counter()

    request = contract.parse_request(line)
    assert isinstance(request, contract.Job)
    done("read the job's line")
    folder = program.write_files(request.files, request.entrypoint)
    done("write the program's files")
    inputs = program.decode_inputs(request.inputs)
    done("decode the inputs")
    backend = backends.build(request.backend_name, request.backend)
    backends.check_size(backend, request.backend_name, 2)
    done("build the backend, look at its size")
    worker._set_log_level(request.log_level)
    worker._flush()
    done("set the log up")
    module = program._load(folder, request.entrypoint)
    main = program._find_main(module, request.entrypoint)
    user_messenger = messenger.UserMessenger(lambda _: None)
    program._check_call(main, backend, user_messenger, inputs)
    done("import the program, find main")
    encoding.to_text(main(backend, user_messenger, **inputs))
    return taken


def stages() -> dict[str, Any]:
    """Do what the worker does up to the end of the warm-up; tell what each stage leaves in memory."""
    found = {"Python": _memory()}
    import numpy  # noqa: F401

    found["NumPy"] = _memory()
    import qiskit  # noqa: F401

    found["Qiskit"] = _memory()
    import qiskit_aer  # noqa: F401

    found["Aer"] = _memory()
    from runtime_runner import on_demand, warming, worker

    worker.warm_up()
    found["ready"] = _memory()
    steps = []
    begin = time.perf_counter()
    for _ in warming.steps():
        steps.append((time.perf_counter() - begin) * 1e3)
        begin = time.perf_counter()
    found["warm"] = _memory()
    on_demand.require_closed()
    return {"memory": found, "steps": steps}


def bare(source: str, backend_name: str, inputs: str) -> list[float]:
    """Run a program as ``python`` would, and once more; the first run includes all it needs, its backend too."""
    from types import SimpleNamespace

    backend = None
    taken = []
    for _ in range(2):
        begin = time.perf_counter()
        if backend is None:
            from runtime_runner import backend_names, backends, on_demand

            on_demand.make_available()
            spec = backend_names.resolve(backend_name)
            assert spec is not None
            backend = backends.build(backend_name, spec)
        from runtime_runner import encoding

        program: dict[str, Any] = {}
        exec(compile(source, "subject.py", "exec"), program)
        returned = program["main"](backend, SimpleNamespace(publish=encoding.to_text), **json.loads(inputs))
        encoding.to_text(returned)
        taken.append((time.perf_counter() - begin) * 1e3)
    return taken


def _memory() -> dict[str, float]:
    """Return in MB what is resident, this process's share of it (PSS), and what is nobody else's and no file."""
    fields = {}
    with open("/proc/self/smaps_rollup") as file:
        for line in file:
            name, _, rest = line.partition(":")
            fields[name] = rest.split()[0]
    return {name: int(fields[field]) / 1024 for name, field in _FIELDS.items()}


_FIELDS = {"rss": "Rss", "pss": "Pss", "anonymous": "Anonymous"}


if __name__ == "__main__":
    what = {"hand-over": hand_over, "stages": stages, "bare": bare}[sys.argv[1]]
    print(json.dumps(what(*sys.argv[2:])))  # type: ignore[operator]
