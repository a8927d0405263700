"""The names that programs written for Qiskit 0.18 to 0.45 use and Qiskit no longer has: the one list of them.

``RESTORED`` is what the layer ``Qiskit0`` brings back, row by row; ``LOST`` what it cannot, and why; ``WORKS`` is what
looks as if it belonged here and needs no layer. Messages, documentation and tests are made from these tables. Standard
library only: nothing of Qiskit is imported by reading them.
"""

from __future__ import annotations

from runtime_runner import backend_names
from runtime_runner.compatibility.shims import Alias, Attribute, Lost, Module, Shim

_OURS = "runtime_runner.compatibility"

# Looked up in qiskit-terra 0.25, in Qiskit 0.46, 1.0, 1.4 and 2.0, and in NumPy 1.23 to 2.4. "Qiskit 0": at the latest
# in 0.46, the last release before 1.0.
_EARLY, _ONE, _TWO = "Qiskit 0", "Qiskit 1.0", "Qiskit 2.0"


def _method(name: str, does: str, gone: str = _ONE, module: str = "circuits") -> Attribute:
    return Attribute(owner="qiskit:QuantumCircuit", source=f"{_OURS}.{module}:{name}", gone=gone, does=does)


def _in(owner: str, source: str, gone: str, does: str, *, replaces: bool = False) -> Attribute:
    return Attribute(owner=owner, source=source, gone=gone, does=does, replaces=replaces)


_DECOMPOSERS = ("OneQubitEulerDecomposer", "TwoQubitBasisDecomposer")

_CIRCUITS: dict[str, Shim] = {
    "qiskit.QuantumCircuit.bind_parameters": _method("bind_parameters", "`assign_parameters`, for numbers only"),
    "qiskit.QuantumCircuit.qasm": _method("qasm", "OpenQASM 2 as text, or printed or written to a file"),
    **{
        f"qiskit.QuantumCircuit.{old}": _method(old, f"`{new}`")
        for old, new in {
            "i": "id",
            "cnot": "cx",
            "toffoli": "ccx",
            "fredkin": "cswap",
            "mct": "mcx",
        }.items()
    },
    **{
        f"qiskit.QuantumCircuit.{name}": _method(name, f"appends `{gate}`", _EARLY)
        for name, gate in {"u1": "U1Gate", "u2": "U2Gate", "u3": "U3Gate", "cu1": "CU1Gate", "cu3": "CU3Gate"}.items()
    },
    **{
        f"qiskit.QuantumCircuit.{name}": _method(name, f"appends `{gate}`")
        for name, gate in {
            "diagonal": "DiagonalGate",
            "hamiltonian": "HamiltonianGate",
            "isometry": "Isometry",
            "iso": "Isometry",
            "squ": "UnitaryGate",
            "uc": "UCGate",
            "ucrx": "UCRXGate",
            "ucry": "UCRYGate",
            "ucrz": "UCRZGate",
        }.items()
    },
    "qiskit.QuantumCircuit.combine": _method("combine", "both circuits one after the other, registers merged", _EARLY),
    "qiskit.QuantumCircuit.extend": _method("extend", "the same in place", _EARLY),
    "qiskit.QuantumCircuit.__add__": _method("combine", "`circuit + circuit`", _EARLY),
    "qiskit.QuantumCircuit.__iadd__": _method("extend", "`circuit += circuit`", _EARLY),
    "qiskit.InstructionSet.c_if": _in(
        "qiskit.circuit:InstructionSet",
        f"{_OURS}.circuits:c_if",
        _TWO,
        "makes what was just added conditional (`if_test`), as in `circuit.x(0).c_if(register, value)`",
    ),
    "qiskit.Qubit.index": _in("qiskit.circuit:Qubit", f"{_OURS}.circuits:index", _ONE, "index in its register"),
    "qiskit.Qubit.register": _in("qiskit.circuit:Qubit", f"{_OURS}.circuits:register", _ONE, "its register"),
    "qiskit.Clbit.index": _in("qiskit.circuit:Clbit", f"{_OURS}.circuits:index", _ONE, "index in its register"),
    "qiskit.Clbit.register": _in("qiskit.circuit:Clbit", f"{_OURS}.circuits:register", _ONE, "its register"),
    "qiskit.circuit.quantumregister": Module(
        names={
            name: f"qiskit.circuit:{name}" for name in ("QuantumRegister", "Qubit", "AncillaRegister", "AncillaQubit")
        },
        gone=_TWO,
        does="its names in `qiskit.circuit`",
    ),
    "qiskit.circuit.classicalregister": Module(
        names={name: f"qiskit.circuit:{name}" for name in ("ClassicalRegister", "Clbit")},
        gone=_TWO,
        does="its names in `qiskit.circuit`",
    ),
    "qiskit.circuit.register": Module(
        names={"Register": "qiskit.circuit:Register"}, gone=_TWO, does="its name in `qiskit.circuit`"
    ),
    "qiskit.circuit.bit": Module(names={"Bit": "qiskit.circuit:Bit"}, gone=_TWO, does="its name in `qiskit.circuit`"),
    "qiskit.circuit.qpy_serialization": Alias(real="qiskit.qpy", gone=_ONE, does="`qiskit.qpy`"),
    "qiskit.extensions": Alias(real="qiskit.circuit.library", gone=_ONE, does="`qiskit.circuit.library`"),
    "qiskit.extensions.unitary": Module(
        names={"UnitaryGate": "qiskit.circuit.library:UnitaryGate"}, gone=_EARLY, does="`UnitaryGate`"
    ),
    "qiskit.extensions.quantum_initializer": Module(
        names={
            name: f"qiskit.circuit.library:{name}"
            for name in ("Initialize", "Isometry", "UCGate", "UCRXGate", "UCRYGate", "UCRZGate", "DiagonalGate")
        },
        gone=_ONE,
        does="its gates in `qiskit.circuit.library`",
    ),
    "qiskit.extensions.hamiltonian_gate": Module(
        names={"HamiltonianGate": "qiskit.circuit.library:HamiltonianGate"}, gone=_EARLY, does="`HamiltonianGate`"
    ),
    "qiskit.Pauli.__init__": _in(
        "qiskit.quantum_info:Pauli",
        f"{_OURS}.operators:pauli_init",
        _EARLY,
        "`Pauli(z, x)`, `Pauli(z=..., x=...)` and `Pauli(label=...)` besides today's forms",
        replaces=True,
    ),
    **{
        f"qiskit.quantum_info.{name}": _in(
            "qiskit.quantum_info", f"qiskit.synthesis:{name}", _ONE, f"`qiskit.synthesis.{name}`"
        )
        for name in _DECOMPOSERS
    },
    "qiskit.quantum_info.synthesis": Module(
        names={name: f"qiskit.synthesis:{name}" for name in _DECOMPOSERS}, gone=_ONE, does="its decomposers"
    ),
    "qiskit.quantum_info.operators.pauli": Module(
        names={"Pauli": "qiskit.quantum_info:Pauli"}, gone=_EARLY, does="`Pauli`"
    ),
    "qiskit.qasm.pi": _in("qiskit.qasm", "math:pi", _ONE, "`math.pi`"),
}

_EXECUTION: dict[str, Shim] = {
    "qiskit.execute": _in(
        "qiskit",
        f"{_OURS}.execution:execute",
        _ONE,
        "transpiles and runs; the arguments of both, `parameter_binds` too",
    ),
    "qiskit.execute_function": Module(
        names={"execute": f"{_OURS}.execution:execute"}, gone=_ONE, does="the module of `execute`"
    ),
    "qiskit.Aer": _in(
        "qiskit", f"{_OURS}.execution:aer", _ONE, "`qiskit_aer.Aer`, whose backends have a callable name"
    ),
    "qiskit.BasicAer": _in(
        "qiskit", f"{_OURS}.execution:aer", _ONE, "`qiskit.Aer`: the simulators of the same names, faster"
    ),
    "qiskit.providers.basicaer": Module(
        names={"BasicAer": f"{_OURS}.execution:aer"}, gone=_ONE, does="the module of `BasicAer`"
    ),
    "qiskit.assemble": _in(
        "qiskit", f"{_OURS}.execution:assemble", _TWO, "keeps circuits and options together for `backend.run`"
    ),
    "qiskit.compiler.assemble": _in(
        "qiskit.compiler", f"{_OURS}.execution:assemble", _TWO, "keeps circuits and options together for `backend.run`"
    ),
    **{
        f"{place}.{name}": _in(
            place, f"{_OURS}.execution:{name}", _TWO, "can be imported; a call fails and says that there are no pulses"
        )
        for place in ("qiskit", "qiskit.compiler")
        for name in ("schedule", "sequence")
    },
    **{
        f"{place}.transpile": _in(
            place,
            f"{_OURS}.execution:transpile",
            _TWO,
            "`transpile` that accepts arguments and method names which are gone (`backend_properties`, `inst_map`, "
            "`instruction_durations`, `timing_constraints`, `routing_method='stochastic'`, ...), with a warning",
            replaces=True,
        )
        for place in ("qiskit", "qiskit.compiler")
    },
    "qiskit.utils.QuantumInstance": _in(
        "qiskit.utils", f"{_OURS}.execution:QuantumInstance", _ONE, "`execute(circuits)`, `transpile`, `set_config`"
    ),
    "qiskit.utils.quantum_instance": Module(
        names={"QuantumInstance": f"{_OURS}.execution:QuantumInstance"}, gone=_ONE, does="the module of it"
    ),
    "qiskit.utils.algorithm_globals": _in(
        "qiskit.utils", f"{_OURS}.execution:algorithm_globals", _ONE, "`random_seed` and `random`"
    ),
    "qiskit.ExperimentResult.header": _in(
        "qiskit.result.models:ExperimentResult",
        f"{_OURS}.execution:header",
        _TWO,
        "a dict that has its keys as attributes, too: `result.results[0].header.name`",
    ),
    "qiskit.__qiskit_version__": _in("qiskit", f"{_OURS}.execution:versions", _ONE, "versions of what is installed"),
    "qiskit.tools": Module(
        names={"job_monitor": f"{_OURS}.execution:job_monitor", "parallel_map": "qiskit.utils:parallel_map"},
        gone=_ONE,
        does="`job_monitor`, `parallel_map`",
    ),
    "qiskit.tools.monitor": Module(
        names={"job_monitor": f"{_OURS}.execution:job_monitor"}, gone=_ONE, does="waits for a job and prints its status"
    ),
    "qiskit.tools.parallel": Module(
        names={"parallel_map": "qiskit.utils:parallel_map"}, gone=_ONE, does="`qiskit.utils.parallel_map`"
    ),
    "qiskit.tools.visualization": Alias(real="qiskit.visualization", gone=_ONE, does="`qiskit.visualization`"),
    "qiskit.tools.jupyter": Module(names={}, gone=_ONE, does="nothing: there is no notebook"),
    "qiskit.qobj.utils": Module(
        names={name: f"qiskit.result.models:{name}" for name in ("MeasLevel", "MeasReturnType")},
        gone=_TWO,
        does="`MeasLevel`, `MeasReturnType`",
    ),
    "qiskit.qobj": Module(names={}, gone=_TWO, does="the package of `qiskit.qobj.utils`, and nothing else"),
}

_DEVICES = {
    f"{name.removesuffix('V2')}{suffix}": f"{_OURS}.devices:{name.removesuffix('V2')}{suffix}"
    for name in backend_names.device_classes()
    for suffix in ("", "V2")
}

_PROVIDERS: dict[str, Shim] = {
    "qiskit.test.mock": Module(
        names=_DEVICES, gone=_ONE, does="the fake devices of qiskit-ibm-runtime, with a callable name"
    ),
    "qiskit.test.mock.backends": Module(names=_DEVICES, gone=_ONE, does="the same"),
    "qiskit.test": Module(names={}, gone=_ONE, does="the package of `qiskit.test.mock`, and nothing else"),
    **{
        f"qiskit.providers.fake_provider.{name}": _in(
            "qiskit.providers.fake_provider", source, _ONE, "the same; `FakeMontreal` is today's `FakeMontrealV2`"
        )
        for name, source in _DEVICES.items()
    },
    **{
        f"qiskit.providers.{name}": _in(
            "qiskit.providers", "qiskit.providers:Backend", gone, "`Backend`, for annotations and `isinstance`"
        )
        for name, gone in {"BackendV1": _TWO, "BaseBackend": _EARLY}.items()
    },
    "qiskit.providers.backend.BackendV1": _in(
        "qiskit.providers.backend", "qiskit.providers:Backend", _TWO, "`Backend`, for annotations and `isinstance`"
    ),
    "qiskit.providers.basebackend": Module(
        names={"BaseBackend": "qiskit.providers:Backend"}, gone=_EARLY, does="`Backend`"
    ),
    "qiskit_aer.AerBackend.name": _in(
        "qiskit_aer.backends.aerbackend:AerBackend",
        f"{_OURS}.execution:simulator_name",
        "qiskit-aer 0.13",
        "a text and callable, of simulators that a program makes itself (`AerSimulator()`, `QasmSimulator()`)",
    ),
    "qiskit.providers.BaseJob": _in("qiskit.providers", "qiskit.providers:JobV1", _EARLY, "`JobV1`"),
    **{
        f"qiskit.providers.{name}": _in(
            "qiskit.providers", f"{_OURS}.execution:Provider", gone, "a base class, for annotations"
        )
        for name, gone in {"Provider": _TWO, "ProviderV1": _TWO, "BaseProvider": _EARLY}.items()
    },
    "qiskit.providers.models": Alias(
        real="qiskit_ibm_runtime.models", gone=_TWO, does="`qiskit_ibm_runtime.models` (properties, configurations)"
    ),
    **{
        f"qiskit.providers.models.{old}": Alias(
            real=f"qiskit_ibm_runtime.models.{new}", gone=_TWO, does=f"`qiskit_ibm_runtime.models.{new}`"
        )
        for old, new in {
            "backendproperties": "backend_properties",
            "backendconfiguration": "backend_configuration",
            "backendstatus": "backend_status",
        }.items()
    },
}

_MITIGATION = ("complete_meas_cal", "CompleteMeasFitter", "MeasurementFilter")

_ALGORITHMS: dict[str, Shim] = {
    "qiskit.algorithms": Alias(
        real="qiskit_algorithms",
        gone=_ONE,
        does="`qiskit_algorithms` (profile `science`): optimizers unchanged, algorithms with primitives only",
    ),
    "qiskit.primitives.Sampler": _in(
        "qiskit.primitives", f"{_OURS}.primitives:Sampler", _TWO, "exact `quasi_dists`, or sampled with `shots`"
    ),
    "qiskit.primitives.Estimator": _in(
        "qiskit.primitives", f"{_OURS}.primitives:Estimator", _TWO, "exact `values`, or with the noise of `shots`"
    ),
    "qiskit.primitives.BackendSampler": _in(
        "qiskit.primitives", f"{_OURS}.primitives:BackendSampler", _TWO, "`quasi_dists` of circuits run on a backend"
    ),
    "qiskit.primitives.BackendEstimator": _in(
        "qiskit.primitives", f"{_OURS}.primitives:BackendEstimator", _TWO, "`values` measured on a backend"
    ),
    **{
        f"{place}.{name}": _in(place, f"qiskit.primitives:{name}V1", _TWO, f"`{name}V1`")
        for place in ("qiskit.primitives", "qiskit.primitives.base")
        for name in ("BaseSampler", "BaseEstimator")
    },
    "qiskit.result.BaseReadoutMitigator": _in(
        "qiskit.result", f"{_OURS}.mitigation:BaseReadoutMitigator", _TWO, "a base class, for annotations"
    ),
    **{
        place: Module(
            names={name: f"{_OURS}.mitigation:{name}" for name in mitigation},
            gone=gone,
            does=f"{', '.join(f'`{name}`' for name in mitigation)}: readout mitigation by the full calibration matrix",
        )
        for place, gone, mitigation in (
            ("qiskit.utils.mitigation", _ONE, ("complete_meas_cal", "CompleteMeasFitter")),
            ("qiskit.utils.mitigation.fitters", _ONE, ("CompleteMeasFitter",)),
            ("qiskit.ignis.mitigation", _EARLY, _MITIGATION),
            ("qiskit.ignis.mitigation.measurement", _EARLY, _MITIGATION),
            ("qiskit.ignis.mitigation.measurement.circuits", _EARLY, ("complete_meas_cal",)),
            ("qiskit.ignis.mitigation.measurement.filters", _EARLY, ("MeasurementFilter",)),
            ("qiskit.ignis.mitigation.measurement.fitters", _EARLY, ("CompleteMeasFitter",)),
        )
    },
    "qiskit.ignis": Module(names={}, gone=_EARLY, does="the package of `qiskit.ignis.mitigation`, and nothing else"),
    "retworkx": Alias(real="rustworkx", gone="rustworkx 0.12", does="`rustworkx`, its name since"),
}

_NUMPY: dict[str, Shim] = {
    f"numpy.{name}": _in("numpy", source, gone, f"`{source.replace('builtins:', '').replace(':', '.')}`")
    for gone, rows in {
        "NumPy 1.24": {name: f"builtins:{name}" for name in ("float", "int", "complex", "object", "bool")},
        "NumPy 2.0": {
            "float_": "numpy:float64",
            "complex_": "numpy:complex128",
            "int0": "numpy:intp",
            "Inf": "numpy:inf",
            "Infinity": "numpy:inf",
            "infty": "numpy:inf",
            "NaN": "numpy:nan",
            "product": "numpy:prod",
            "cumproduct": "numpy:cumprod",
            "alltrue": "numpy:all",
            "sometrue": "numpy:any",
            "round_": "numpy:round",
        },
        "NumPy 2.4": {"trapz": "numpy:trapezoid", "in1d": "numpy:isin"},
    }.items()
    for name, source in rows.items()
    if name != "bool"  # NumPy has one again
}

RESTORED: dict[str, Shim] = _CIRCUITS | _EXECUTION | _PROVIDERS | _ALGORITHMS | _NUMPY
"""What the layer ``Qiskit0`` restores, by the name programs use; classes by their name after the package's."""

LOST: dict[str, Lost] = {
    "qiskit.opflow": Lost(gone=_ONE, text="operators are `SparsePauliOp` now, expectation values come from primitives"),
    "qiskit.aqua": Lost(gone=_EARLY, text="its successors are qiskit_algorithms and qiskit_nature (profile 'science')"),
    "qiskit.chemistry": Lost(gone=_EARLY, text="its successor is qiskit_nature (profile 'science')"),
    "qiskit.finance": Lost(gone=_EARLY, text="its successor is the package qiskit_finance"),
    "qiskit.optimization": Lost(gone=_EARLY, text="its successor is the package qiskit_optimization"),
    "qiskit.ml": Lost(gone=_EARLY, text="its successor is qiskit_machine_learning (profile 'science')"),
    "qiskit.pulse": Lost(gone=_TWO, text="no backend of this runner has pulses"),
    "qiskit.scheduler": Lost(gone=_TWO, text="no backend of this runner has pulses"),
    "qiskit.assembler": Lost(gone=_TWO, text="pass circuits to `backend.run`"),
    "qiskit.validation": Lost(gone=_EARLY, text="it has no successor"),
    "qiskit.IBMQ": Lost(gone=_ONE, text="a program has no account; use the `backend` it is given"),
    "qiskit_ibm_provider": Lost(gone="2024", text="a program has no account; use the `backend` it is given"),
    "qiskit.providers.ibmq.runtime.IBMRuntimeService": Lost(
        gone="2023", text="a program has no account; use the `backend` it is given"
    ),
    "qiskit.quantum_info.PauliTable": Lost(gone=_EARLY, text="use `PauliList`"),
    "qiskit.quantum_info.StabilizerTable": Lost(gone=_EARLY, text="use `PauliList` or `Clifford`"),
    "qiskit.SparsePauliOp.table": Lost(gone=_EARLY, text="use `paulis`"),
    "qiskit.QuantumCircuit.snapshot": Lost(gone=_ONE, text="use the `save_...` methods that qiskit_aer adds"),
    "qiskit.QuantumCircuit.add_calibration": Lost(gone=_TWO, text="no backend of this runner has pulses"),
    "qiskit.QuantumCircuit.calibrations": Lost(gone=_TWO, text="no backend of this runner has pulses"),
    "qiskit.Instruction.c_if": Lost(
        gone=_TWO, text="a gate that is in no circuit yet cannot be made conditional; use `circuit.if_test`"
    ),
    "qiskit.Instruction.condition": Lost(gone=_TWO, text="conditions are `IfElseOp` now"),
    "qiskit.result.LocalReadoutMitigator": Lost(gone=_TWO, text="use mthree (profile 'science')"),
    "qiskit.result.CorrelatedReadoutMitigator": Lost(gone=_TWO, text="use mthree (profile 'science')"),
    "qiskit.ignis.mitigation.TensoredMeasFitter": Lost(gone=_EARLY, text="use mthree (profile 'science')"),
    "qiskit.utils.mitigation.TensoredMeasFitter": Lost(gone=_ONE, text="use mthree (profile 'science')"),
    "qiskit.providers.fake_provider.FakeProvider": Lost(gone=_ONE, text="use the device's class, or a backend by name"),
    "qiskit.transpiler.passes.Unroller": Lost(gone=_ONE, text="use `BasisTranslator`"),
    "qiskit.transpiler.passes.CXCancellation": Lost(gone=_TWO, text="use `InverseCancellation`"),
    "qiskit.transpiler.passes.StochasticSwap": Lost(gone=_TWO, text="use `SabreSwap`"),
    "qiskit.transpiler.passes.NoiseAdaptiveLayout": Lost(gone=_ONE, text="use `VF2PostLayout`"),
    "qiskit.transpiler.passes.RZXCalibrationBuilderNoEcho": Lost(gone=_TWO, text="no backend here has pulses"),
    "qiskit.transpiler.passes.calibration": Lost(gone=_TWO, text="no backend of this runner has pulses"),
}
"""What stays away, by the name programs use."""

WORKS: dict[str, str] = {
    "qiskit.providers.ibmq.runtime": "`UserMessenger`, `ProgramBackend`, encoder, decoders, exceptions; always",
    "qiskit_ibm_runtime.program": "always supplied, also beside today's qiskit_ibm_runtime",
    "qiskit.providers.aer": "always supplied: `qiskit_aer` by its earlier name",
    "backend.name()": "the name is a text and callable",
    "backend.configuration()": "and `properties()`, `defaults()`, `status()`, of every backend",
    "backend.run(..., shots=8192.0)": "and devices' options without effect, such as `rep_delay`, told in a warning",
    "backend.run(circuits, parameter_binds=[{theta: 0.1}])": "as `execute` took them, and as Aer takes them",
    "RealAmplitudes, EfficientSU2, TwoLocal, ...": "the classes are deprecated, and there until Qiskit 3",
    "circuit.data as tuples": "deprecated, and there until Qiskit 3",
    "qiskit_aer.primitives.Sampler": "and `Estimator`: deprecated, and there",
}
"""What needs no layer."""
