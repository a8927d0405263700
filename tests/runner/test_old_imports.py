"""Every name that programs of the retired service import resolves, with and without its package installed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from runtime_runner import old_imports

NAMES = [(module, name) for module, places in old_imports.COLLECTIONS.items() for name in places]
OF_REAL_PACKAGE = {  # which qiskit-ibm-runtime has itself, and keeps
    *(
        (module, name)
        for module in ("qiskit_ibm_runtime", "qiskit_ibm_runtime.utils.json")
        for name in ("RuntimeEncoder", "RuntimeDecoder")
    ),
    *(
        (module, name)
        for module in ("qiskit_ibm_runtime", "qiskit_ibm_runtime.exceptions")
        for name in old_imports.COLLECTIONS["qiskit_ibm_runtime.exceptions"]
    ),
}

_ASK = """
import importlib, json, sys
from runtime_runner import old_imports, stand_ins
old_imports.make_available()
old_imports.make_available()
before = list(sys.modules)
answers = []
for module, name in json.loads(sys.argv[1]):
    space = {}
    try:
        exec(f"from {module} import {name} as thing", space)
        wanted = stand_ins.look_up(old_imports.COLLECTIONS[module][name])
        answers.append("ours" if space["thing"] is wanted else "another")
    except ImportError as error:
        answers.append(str(error))
print(json.dumps(answers))
"""


def ask(names: list[tuple[str, str]], *command: str) -> dict[tuple[str, str], str]:
    done = subprocess.run(
        [*(command or (sys.executable,)), "-c", _ASK, json.dumps(names)], capture_output=True, text=True, check=True
    )
    return dict(zip(names, json.loads(done.stdout), strict=True))


@pytest.mark.aer
def test_each_name_is_ours_unless_the_real_package_has_it() -> None:
    pytest.importorskip("qiskit_ibm_runtime")
    answers = ask(NAMES)
    assert {name for name, answer in answers.items() if answer not in ("ours", "another")} == set()
    assert {name for name, answer in answers.items() if answer == "another"} <= OF_REAL_PACKAGE


def test_without_any_qiskit_the_names_of_qiskit_ibm_runtime_are_supplied(bare_python: str) -> None:
    names = [(module, name) for module, name in NAMES if module.startswith("qiskit_ibm_runtime")]
    assert set(ask(names, bare_python).values()) == {"ours"}


@pytest.mark.aer
@pytest.mark.parametrize(
    "code",
    [
        "from qiskit.providers.aer import AerSimulator, noise\nimport qiskit_aer\n"
        "assert AerSimulator is qiskit_aer.AerSimulator and noise is not None",
        "from qiskit.providers.aer.noise import NoiseModel\nimport qiskit_aer.noise\n"
        "assert NoiseModel is qiskit_aer.noise.NoiseModel",
        "from qiskit.providers.aer.noise.errors import ReadoutError, depolarizing_error\n",
        "import qiskit.providers.aer as aer\nassert aer.AerSimulator().name",
        "from qiskit.providers.aer import *\nAerSimulator",
        "from qiskit.providers.ibmq.runtime import *\nUserMessenger, ProgramBackend, RuntimeEncoder",
        "import qiskit.providers.ibmq.runtime.program.program_backend as module\nmodule.ProgramBackend",
        "import qiskit_ibm_runtime, qiskit_ibm_runtime.program\n"
        "assert qiskit_ibm_runtime.__file__ and qiskit_ibm_runtime.QiskitRuntimeService",
    ],
)
def test_modules_are_imported_in_every_way(code: str) -> None:
    program = f"from runtime_runner import old_imports\nold_imports.make_available()\n{code}"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_making_them_available_imports_nothing() -> None:
    code = (
        "import json, sys\nfrom runtime_runner import old_imports\nold_imports.make_available()\n"
        "print(json.dumps(list(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in json.loads(done.stdout)}
    assert not loaded & {"qiskit", "qiskit_aer", "qiskit_ibm_runtime", "numpy"}
    assert "runtime_runner.encoding" not in json.loads(done.stdout)


def test_every_place_in_the_table_is_a_file_of_the_runner() -> None:
    folder = Path(old_imports.__file__).parent
    for places in old_imports.COLLECTIONS.values():
        for place in places.values():
            module = place.partition(":")[0].removeprefix("runtime_runner.")
            assert (folder / f"{module}.py").exists() or (folder / module).is_dir(), place


def test_a_backend_is_a_program_backend_and_a_class_of_the_users_own_may_be() -> None:
    from runtime_runner.program_backend import ProgramBackend

    class Other:
        def run(self, circuits: object) -> None: ...

    class Own(ProgramBackend):
        def run(self, circuits: object, **run_config: object) -> int:
            return 1

    assert isinstance(Other(), ProgramBackend)
    assert isinstance(Own(), ProgramBackend)
    assert not isinstance(object(), ProgramBackend)
    assert not isinstance(Other(), Own)
    with pytest.raises(TypeError, match="abstract"):
        ProgramBackend()  # type: ignore[abstract]
