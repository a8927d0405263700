"""The table of the layer: every row holds, and nothing but the layer restores it."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from runtime_runner import old_imports, stand_ins
from runtime_runner.compatibility import names
from runtime_runner.compatibility.shims import Alias, Attribute, Module

if TYPE_CHECKING:
    from collections.abc import Callable

ATTRIBUTES = {name: shim for name, shim in names.RESTORED.items() if isinstance(shim, Attribute)}
MODULES = {name: shim for name, shim in names.RESTORED.items() if isinstance(shim, Module)}
ALIASES = {name: shim for name, shim in names.RESTORED.items() if isinstance(shim, Alias)}
OF_SCIENCE = {"qiskit.algorithms"}


@pytest.mark.aer
@pytest.mark.parametrize("name", ATTRIBUTES)
def test_a_name_stands_for_what_the_table_says(layered: Callable[[str], Any], name: str) -> None:
    shim = ATTRIBUTES[name]
    code = f"""
        from runtime_runner import stand_ins
        owner = stand_ins.look_up({shim.owner!r})
        found = getattr(owner, {name.rpartition(".")[2]!r})
        wanted = stand_ins.look_up({shim.source!r})
        if isinstance(wanted, property):
            found = vars(owner)[{name.rpartition(".")[2]!r}]
        value = bool(found is wanted or found == wanted or wanted != wanted)  # NaN
    """
    assert layered(code).value


@pytest.mark.aer
@pytest.mark.parametrize("name", [name for name, shim in ATTRIBUTES.items() if ":" not in shim.owner])
def test_a_name_in_a_module_can_be_imported_from_it(layered: Callable[[str], Any], name: str) -> None:
    module, _, attribute = name.rpartition(".")
    assert layered(f"from {module} import {attribute} as thing\nvalue = True").value


@pytest.mark.aer
@pytest.mark.parametrize("name", MODULES)
def test_a_module_has_the_names_the_table_says(layered: Callable[[str], Any], name: str) -> None:
    code = f"""
        import {name} as module
        from runtime_runner import stand_ins
        value = all(getattr(module, key) is stand_ins.look_up(place) for key, place in {MODULES[name].names}.items())
    """
    assert layered(code).value


@pytest.mark.aer
@pytest.mark.parametrize("name", [name for name in ALIASES if name not in OF_SCIENCE])
def test_an_alias_is_the_module_of_another_name(layered: Callable[[str], Any], name: str) -> None:
    code = f"""
        import {name} as module, {ALIASES[name].real} as real
        public = [key for key, one in vars(real).items() if not key.startswith("_") and type(one) is not type(real)]
        value = len(public) > 1 and all(getattr(module, key) is getattr(real, key) for key in public)
    """
    assert layered(code).value


@pytest.mark.aer
@pytest.mark.filterwarnings("ignore:In the future")
@pytest.mark.parametrize("name", names.RESTORED)
def test_what_is_restored_is_gone_from_what_is_installed(name: str) -> None:
    shim = names.RESTORED[name]
    if isinstance(shim, Attribute):
        owner = stand_ins.look_up(shim.owner)
        assert hasattr(owner, name.rpartition(".")[2]) == shim.replaces
    else:
        with pytest.raises(ModuleNotFoundError):
            importlib.import_module(name)


@pytest.mark.aer
@pytest.mark.parametrize("name", names.LOST)
def test_what_is_lost_is_neither_restored_nor_there(layered: Callable[[str], Any], name: str) -> None:
    assert name not in names.RESTORED
    module, _, attribute = name.rpartition(".")
    module = {"qiskit.Instruction": "qiskit.circuit", "qiskit.SparsePauliOp": "qiskit.quantum_info"}.get(module, module)
    owner = "qiskit" if module == "qiskit.QuantumCircuit" else module
    cls = next((part for part in ("QuantumCircuit", "Instruction", "SparsePauliOp") if part in name.split(".")), "")
    code = f"""
        import importlib
        try:
            if {cls!r}:
                value = hasattr(getattr(importlib.import_module({owner!r}), {cls!r}), {attribute!r})
            else:
                exec("from {module} import {attribute}" if {module!r} else "import {name}")
                value = True
        except ImportError:
            value = False
    """
    assert layered(code).value is False


def test_the_tables_can_be_read_without_qiskit() -> None:
    code = "import json, sys, runtime_runner.compatibility.names; print(json.dumps(list(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"qiskit", "numpy", "qiskit_aer"} & {name.partition(".")[0] for name in json.loads(done.stdout)}


def test_no_name_is_in_two_tables() -> None:
    always = set(old_imports.COLLECTIONS) | set(old_imports.ALIASES)
    assert not always & set(names.RESTORED)
    assert not set(names.LOST) & set(names.RESTORED)


@pytest.mark.aer
def test_a_layer_that_does_not_exist_is_told() -> None:
    from runtime_runner import compatibility

    compatibility.apply("")
    with pytest.raises(ValueError, match="there is no compatibility layer 'Qiskit9'; there is Qiskit0"):
        compatibility.apply("Qiskit9")
