"""Names of backends that need no RuntimeBackend of their own, and what each stands for.

A name becomes the spec a RuntimeBackend would have (see `backends`). What a user of Qiskit knows by name is known here:
Aer and its methods, the fake devices, and the devices and simulators of the retired service, which are served by their
fake twins and by Aer. Standard library only: the operator asks without Qiskit. A test compares the tables with the
installed packages.
"""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_GENERIC_QUBITS = 32
"""Highest n of ``generic-<n>``. Every pair of its qubits is connected: 32 take some seconds to build, 100 a minute. A
RuntimeBackend with a coupling map may have more."""

GENERIC_SEED = 42
"""Of the noise of ``generic-<n>``: the same name is the same device in every job."""

AER_METHODS = (
    "automatic",
    "statevector",
    "density_matrix",
    "stabilizer",
    "matrix_product_state",
    "extended_stabilizer",
    "unitary",
    "superop",
)
"""Simulation methods that Aer has on a CPU."""


class _Device(NamedTuple):
    fake: str
    num_qubits: int


# The fake devices of qiskit-ibm-runtime by the device's name.
_DEVICES = {
    "aachen": _Device("FakeAachen", 156),
    "algiers": _Device("FakeAlgiers", 27),
    "almaden": _Device("FakeAlmadenV2", 20),
    "armonk": _Device("FakeArmonkV2", 1),
    "athens": _Device("FakeAthensV2", 5),
    "auckland": _Device("FakeAuckland", 27),
    "belem": _Device("FakeBelemV2", 5),
    "berlin": _Device("FakeBerlin", 120),
    "boeblingen": _Device("FakeBoeblingenV2", 20),
    "bogota": _Device("FakeBogotaV2", 5),
    "boston": _Device("FakeBoston", 156),
    "brisbane": _Device("FakeBrisbane", 127),
    "brooklyn": _Device("FakeBrooklynV2", 65),
    "brussels": _Device("FakeBrussels", 127),
    "burlington": _Device("FakeBurlingtonV2", 5),
    "cairo": _Device("FakeCairoV2", 27),
    "cambridge": _Device("FakeCambridgeV2", 28),
    "casablanca": _Device("FakeCasablancaV2", 7),
    "cusco": _Device("FakeCusco", 127),
    "essex": _Device("FakeEssexV2", 5),
    "fez": _Device("FakeFez", 156),
    "fractional": _Device("FakeFractionalBackend", 5),
    "geneva": _Device("FakeGeneva", 27),
    "guadalupe": _Device("FakeGuadalupeV2", 16),
    "hanoi": _Device("FakeHanoiV2", 27),
    "jakarta": _Device("FakeJakartaV2", 7),
    "johannesburg": _Device("FakeJohannesburgV2", 20),
    "kawasaki": _Device("FakeKawasaki", 127),
    "kingston": _Device("FakeKingston", 156),
    "kolkata": _Device("FakeKolkataV2", 27),
    "kyiv": _Device("FakeKyiv", 127),
    "kyoto": _Device("FakeKyoto", 127),
    "lagos": _Device("FakeLagosV2", 7),
    "lima": _Device("FakeLimaV2", 5),
    "london": _Device("FakeLondonV2", 5),
    "manhattan": _Device("FakeManhattanV2", 65),
    "manila": _Device("FakeManilaV2", 5),
    "marrakesh": _Device("FakeMarrakesh", 156),
    "melbourne": _Device("FakeMelbourneV2", 15),
    "miami": _Device("FakeMiami", 120),
    "montreal": _Device("FakeMontrealV2", 27),
    "mumbai": _Device("FakeMumbaiV2", 27),
    "nairobi": _Device("FakeNairobiV2", 7),
    "nighthawk": _Device("FakeNighthawk", 120),
    "osaka": _Device("FakeOsaka", 127),
    "oslo": _Device("FakeOslo", 7),
    "ourense": _Device("FakeOurenseV2", 5),
    "paris": _Device("FakeParisV2", 27),
    "peekskill": _Device("FakePeekskill", 27),
    "perth": _Device("FakePerth", 7),
    "pittsburgh": _Device("FakePittsburgh", 156),
    "poughkeepsie": _Device("FakePoughkeepsieV2", 20),
    "prague": _Device("FakePrague", 33),
    "quebec": _Device("FakeQuebec", 127),
    "quito": _Device("FakeQuitoV2", 5),
    "rochester": _Device("FakeRochesterV2", 53),
    "rome": _Device("FakeRomeV2", 5),
    "santiago": _Device("FakeSantiagoV2", 5),
    "sherbrooke": _Device("FakeSherbrooke", 127),
    "singapore": _Device("FakeSingaporeV2", 20),
    "strasbourg": _Device("FakeStrasbourg", 127),
    "sydney": _Device("FakeSydneyV2", 27),
    "torino": _Device("FakeTorino", 133),
    "toronto": _Device("FakeTorontoV2", 27),
    "valencia": _Device("FakeValenciaV2", 5),
    "vigo": _Device("FakeVigoV2", 5),
    "washington": _Device("FakeWashingtonV2", 127),
    "yorktown": _Device("FakeYorktownV2", 5),
}

_BY_CLASS = {device.fake: device for device in _DEVICES.values()}

# Names of the retired service that are not `ibm_` or `ibmq_` and the name of a device.
_OTHER_NAMES = {
    "ibmq_16_melbourne": "melbourne",
    "ibmq_5_yorktown": "yorktown",
    "ibmqx2": "yorktown",
}

# Simulators by the names that Qiskit and the retired service had for them.
_SIMULATORS: dict[str, dict[str, Any]] = {
    "aer": {},
    "aer_simulator": {},
    "qasm_simulator": {},
    "ibmq_qasm_simulator": {},
    "statevector_simulator": {"method": "statevector"},
    "simulator_statevector": {"method": "statevector"},
    "simulator_stabilizer": {"method": "stabilizer"},
    "simulator_extended_stabilizer": {"method": "extended_stabilizer"},
    "simulator_mps": {"method": "matrix_product_state"},
} | {
    name: {"method": method}
    for method in AER_METHODS
    for name in (f"aer_simulator_{method}", f"aer-{method.replace('_', '-')}")
}


def resolve(name: str) -> dict[str, Any] | None:
    """Return the spec of the RuntimeBackend a well-known name stands for, or None if it is none.

    Well known are ``aer``, ``aer-<method>``, ``generic-<n>``, ``fake-<device>`` (also ``fake_<device>`` and the class's
    name, with or without ``V2``), and the names of the retired service: ``ibmq_<device>``, ``ibm_<device>``,
    ``ibmq_qasm_simulator`` and the like.
    """
    if name in _SIMULATORS:
        return {"aer": dict(_SIMULATORS[name])}
    if match := re.fullmatch(r"generic-([1-9][0-9]?)", name):
        number = int(match[1])
        return {"generic": {"numQubits": number, "seed": GENERIC_SEED}} if number <= MOST_GENERIC_QUBITS else None
    device = _device(name)
    return None if device is None else {"fake": {"name": device.fake}}


def num_qubits(spec: Mapping[str, Any]) -> int | None:
    """Return how many qubits a backend of this spec has, as far as that is known without building it.

    None for ``aer``, whose number depends on the node's memory, for ``custom``, and for what is no valid spec.
    """
    match spec:
        case {"generic": {"numQubits": int(number)}}:
            return number
        case {"fake": {"name": str(name)}} if name in _BY_CLASS:
            return _BY_CLASS[name].num_qubits
    return None


def known() -> list[str]:
    """Return the well-known names for a message, with ``<...>`` for what varies in a family."""
    return ["aer", *(f"aer-{method.replace('_', '-')}" for method in AER_METHODS), "generic-<n>", "fake-<device>"]


def device_classes() -> list[str]:
    """Return the names of the classes of all fake devices."""
    return list(_BY_CLASS)


def similar(name: str) -> list[str]:
    """Return up to three names that `resolve` knows and that look like this one, best first."""
    names = [*_SIMULATORS, *(f"fake-{device}" for device in _DEVICES)]
    if name.startswith("ibm"):
        names += [f"{name[: name.index('_') + 1]}{device}" for device in _DEVICES] if "_" in name else []
    return difflib.get_close_matches(name, names, n=3, cutoff=0.75)


def hint(name: str) -> str:
    """Return what to add to a sentence that there is no such backend, or nothing."""
    names = similar(name)
    return f"; did you mean {' or '.join(names)}?" if names else ""


def _device(name: str) -> _Device | None:
    if name in _BY_CLASS:
        return _BY_CLASS[name]
    if re.fullmatch(r"Fake[A-Za-z]+", name):  # the name a device's first fake had, before V2
        return _BY_CLASS.get(f"{name}V2")
    if match := re.fullmatch(r"(?:fake[-_]|ibmq?_)([a-z]+)", name):
        return _DEVICES.get(match[1])
    return _DEVICES.get(_OTHER_NAMES.get(name, ""))
