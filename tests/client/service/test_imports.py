from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("kubernetes", "aiohttp", "qiskit", "qiskit_aer", "numpy", "matplotlib", "tqdm")


@pytest.mark.parametrize(
    "code",
    [
        "import quantum_runtime",
        "from quantum_runtime import RuntimeService, AsyncRuntimeService, RuntimeJob, RuntimeOptions",
        "import quantum_runtime.ibmq, quantum_runtime.ibm_runtime",
        "import quantum_runtime; dir(quantum_runtime); hasattr(quantum_runtime, 'nonsense')",
    ],
)
def test_importing_the_client_imports_neither_qiskit_nor_the_official_client(code: str) -> None:
    ask = f"import sys; {code}; print([name for name in {HEAVY!r} if name in sys.modules])"
    said = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


def test_importing_the_package_imports_none_of_its_modules() -> None:
    ask = "import sys, quantum_runtime; print([name for name in sys.modules if name.startswith('quantum_runtime.')])"
    said = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


def test_every_name_the_package_promises_is_there() -> None:
    import quantum_runtime

    assert set(quantum_runtime.__all__) == set(quantum_runtime._PLACE_OF)
    for name in quantum_runtime.__all__:
        assert getattr(quantum_runtime, name).__name__ in (name, "IBMRuntimeError")
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        _ = quantum_runtime.nonsense  # type: ignore[attr-defined]
