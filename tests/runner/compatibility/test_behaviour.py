"""What the restored names do, as programs of the time use them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    Layered = Callable[[str], Any]

pytestmark = pytest.mark.aer

EVERYTHING = "from qiskit import *\nimport numpy as np\n"


@pytest.mark.parametrize(
    ("code", "value"),
    [
        pytest.param(
            """
            from qiskit.circuit import Parameter
            theta = Parameter("theta")
            circuit = QuantumCircuit(1)
            circuit.rx(theta, 0)
            bound = circuit.bind_parameters({theta: 0.5})
            value = [bound.num_parameters, circuit.num_parameters, circuit.bind_parameters([0.5]) == bound]
            """,
            [0, 1, True],
            id="bind_parameters leaves the circuit as it is",
        ),
        pytest.param(
            """
            circuit = QuantumCircuit(1)
            circuit.i(0)
            value = circuit.qasm().splitlines()[-1]
            """,
            "id q[0];",
            id="qasm",
        ),
        pytest.param(
            """
            circuit = QuantumCircuit(4)
            circuit.i(0); circuit.cnot(0, 1); circuit.toffoli(0, 1, 2); circuit.fredkin(0, 1, 2)
            circuit.mct([0, 1, 2], 3)
            circuit.u1(1, 0); circuit.u2(1, 2, 0); circuit.u3(1, 2, 3, 0); circuit.cu1(1, 0, 1)
            circuit.cu3(1, 2, 3, 0, 1)
            value = [step.operation.name for step in circuit.data]
            """,
            ["id", "cx", "ccx", "cswap", "mcx", "u1", "u2", "u3", "cu1", "cu3"],
            id="gates by their earlier methods",
        ),
        pytest.param(
            """
            from qiskit.quantum_info import Operator
            circuit = QuantumCircuit(3)
            x = np.array([[0, 1], [1, 0]])
            circuit.diagonal([1, -1], [0]); circuit.squ(x, 0); circuit.isometry(x, [0], []); circuit.iso(x, [0], [])
            circuit.hamiltonian(x, np.pi, [0]); circuit.uc([x, np.eye(2)], [1], [0])
            circuit.ucrx([0.1, 0.2], [1], 0); circuit.ucry([0.1, 0.2], [1], 0); circuit.ucrz([0.1, 0.2], [1], 0)
            value = [len(circuit.data), Operator(circuit).is_unitary()]
            """,
            [9, True],
            id="gates from matrices and angles",
        ),
        pytest.param(
            """
            first, second = QuantumCircuit(2, 1), QuantumCircuit(2, 1)
            first.h(0)
            second.cx(0, 1); second.measure(0, 0)
            both = first + second
            first += second
            first.extend(second)
            value = [dict(both.count_ops()), both.num_qubits, len(first.data), len(second.combine(second).data)]
            """,
            [{"h": 1, "cx": 1, "measure": 1}, 2, 5, 4],
            id="circuits are added",
        ),
        pytest.param(
            """
            first, second = QuantumCircuit(1), QuantumCircuit(QuantumRegister(2, "other"), ClassicalRegister(1, "c"))
            second.x(1)
            value = [(first + second).num_qubits, (first + second).num_clbits]
            """,
            [3, 1],
            id="circuits of other registers are added",
        ),
        pytest.param(
            """
            registers = QuantumRegister(3, "a"), ClassicalRegister(2, "b")
            circuit = QuantumCircuit(*registers)
            value = [circuit.qubits[2].index, circuit.qubits[2].register.name, registers[1][1].index,
                     registers[1][1].register.name]
            """,
            [2, "a", 1, "b"],
            id="bits know their place in their register",
        ),
        pytest.param(
            """
            from qiskit.quantum_info import Pauli
            value = [Pauli(label="XY") == Pauli("XY"), Pauli([True], [False]) == Pauli("Z"),
                     Pauli(z=[True, False], x=[True, True]) == Pauli("XY"), Pauli(([1], [0])) == Pauli("Z")]
            """,
            [True] * 4,
            id="Paulis from labels and arrays",
        ),
        pytest.param(
            """
            x, number, cls = np.float_(1.5), np.int0(3), np.complex_
            value = [isinstance(x, float), np.product([2, 3]), np.Inf > 1, str(np.NaN), np.float is float,
                     cls is complex,
                     np.in1d([1, 2], [2]).tolist(), np.alltrue([True]).item()]
            value[1] = int(value[1])
            """,
            [True, 6, True, "nan", True, False, [False, True], True],
            id="names of NumPy",
        ),
    ],
)
def test_circuits_are_built_as_they_were(layered: Layered, code: str, value: Any) -> None:
    assert layered(EVERYTHING + _dedent(code)).value == value


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("from qiskit.circuit import Parameter\nt = Parameter('t')\n"
         "c = QuantumCircuit(1); c.rx(t, 0); c.bind_parameters({t: Parameter('u')})", "TypeError: bind_parameters"),
        ("c = QuantumCircuit(1, 1); c.x(0).c_if(0, 2)", "ValueError: 2 is no value of 1 classical bits"),
        ("c = QuantumCircuit(1, 1); c.x(0).c_if(ClassicalRegister(1, 'other'), 0)", "CircuitError"),
        ("QuantumCircuit(1) + 1", "TypeError"),
        ("schedule(QuantumCircuit(1), None)", "QiskitError: 'circuits cannot be turned into pulses"),
        ("from qiskit.utils import QuantumInstance\n"
         "QuantumInstance(None, measurement_error_mitigation_cls=int)", "QiskitError: 'QuantumInstance no longer"),
        ("from qiskit.utils.mitigation import complete_meas_cal\ncomplete_meas_cal(range(20))", "2**20 circuits"),
        ("from qiskit.utils.mitigation import complete_meas_cal\ncomplete_meas_cal()", "needs qubit_list or qr"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_told(layered: Layered, code: str, error: str) -> None:
    assert error in layered(EVERYTHING + code)["error"]


@pytest.mark.parametrize("condition", ["circuit.cregs[0], 1", "0, 1", "circuit.clbits[0], True"])
@pytest.mark.parametrize(("bit", "outcome"), [(1, "1 1"), (0, "0 0")])
def test_a_gate_is_conditional(layered: Layered, condition: str, bit: int, outcome: str) -> None:
    code = f"""
        circuit = QuantumCircuit(QuantumRegister(2), ClassicalRegister(1, "a"), ClassicalRegister(1, "b"))
        if {bit}: circuit.x(0)
        circuit.measure(0, 0)
        circuit.x(1).c_if({condition})
        circuit.measure(1, 1)
        backend = Aer.get_backend("aer_simulator")
        value = [backend.run(circuit, shots=10).result().get_counts(), execute(circuit, backend).result().get_counts()]
    """
    assert layered(EVERYTHING + _dedent(code)).value == [{outcome: 10}, {outcome: 1024}]


def test_a_measurement_of_several_qubits_is_conditional_on_another_register(layered: Layered) -> None:
    code = """
        condition, results = ClassicalRegister(2, "condition"), ClassicalRegister(2, "results")
        circuit = QuantumCircuit(QuantumRegister(2), condition, results)
        circuit.x([0, 1])
        circuit.measure([0, 1], condition)
        circuit.measure([0, 1], results).c_if(condition, 3)
        circuit.x([0, 1]).c_if(condition, 2)
        value = execute(circuit, Aer.get_backend("qasm_simulator"), shots=5).result().get_counts()
    """
    assert layered(EVERYTHING + _dedent(code)).value == {"11 11": 5}


BELL = "bell = QuantumCircuit(2)\nbell.h(0)\nbell.cx(0, 1)\nmeasured = bell.measure_all(inplace=False)\n"


@pytest.mark.parametrize(
    ("code", "value"),
    [
        pytest.param(
            "value = set(execute(measured, Aer.get_backend('qasm_simulator'), shots=99, seed_simulator=1,"
            " seed_transpiler=1, optimization_level=0).result().get_counts()) == {'00', '11'}",
            True,
            id="execute",
        ),
        pytest.param(
            "from qiskit.circuit import Parameter\nt = Parameter('t')\nc = QuantumCircuit(1)\nc.rx(t, 0)\n"
            "c.measure_all()\n"
            "value = execute(c, Aer.get_backend('aer_simulator'), parameter_binds=[{t: 0.0}, {t: np.pi}], shots=7)"
            ".result().get_counts()",
            [{"0": 7}, {"1": 7}],
            id="execute binds parameters",
        ),
        pytest.param(
            "backend = Aer.get_backend('aer_simulator')\nqobj = assemble(transpile(measured, backend), shots=12)\n"
            "value = sum(backend.run(qobj).result().get_counts().values())",
            12,
            id="assemble",
        ),
        pytest.param(
            "backend = BasicAer.get_backend('statevector_simulator')\n"
            "state = execute(bell, backend).result().get_statevector()\n"
            "value = [backend.name(), np.round(state.data.real, 3).tolist()]",
            ["statevector_simulator", [0.707, 0, 0, 0.707]],
            id="a simulator of states",
        ),
        pytest.param(
            "backend = Aer.get_backend('aer_simulator_density_matrix')\n"
            "value = [backend.name(), backend.options.method, backend.configuration().simulator]",
            ["aer_simulator_density_matrix", "density_matrix", True],
            id="a method of Aer by name",
        ),
        pytest.param(
            "from qiskit.utils import QuantumInstance, algorithm_globals\nalgorithm_globals.random_seed = 5\n"
            "backend = Aer.get_backend('aer_simulator')\n"
            "instance = QuantumInstance(backend, shots=40, seed_simulator=3, seed_transpiler=3)\n"
            "instance.set_config(shots=41)\n"
            "value = [sum(instance.execute(measured).get_counts().values()), instance.backend_name,"
            " instance.run_config.shots, instance.is_statevector,"
            " algorithm_globals.random.integers(100) == np.random.default_rng(5).integers(100)]\n"
            "value[4] = bool(value[4])",
            [41, "aer_simulator", 41, False, True],
            id="QuantumInstance and its seed",
        ),
        pytest.param(
            "import io\nfrom qiskit.tools.monitor import job_monitor\nout = io.StringIO()\n"
            "job_monitor(Aer.get_backend('aer_simulator').run(measured), output=out)\nvalue = out.getvalue()",
            "Job Status: job has successfully run\n",
            id="job_monitor",
        ),
        pytest.param(
            "from qiskit.providers.aer import AerSimulator\nfrom qiskit.test.mock import FakeMontreal\n"
            "device = FakeMontreal()\nvalue = [device.name(), device.configuration().n_qubits,"
            " device.properties().t1(0) > 0, AerSimulator.from_backend(device).num_qubits]",
            ["fake_montreal", 27, True, 27],
            id="fake devices",
        ),
        pytest.param(
            "from qiskit.test.mock import FakeMontreal\nbackend = FakeMontreal()\n"
            "conditional = QuantumCircuit(2, 2)\nconditional.x(0)\n"
            "conditional.measure(0, 0)\nconditional.x(1).c_if(conditional.clbits[0], 1)\nconditional.measure(1, 1)\n"
            "value = execute(conditional, backend, shots=100).result().get_counts()['11'] > 70",
            True,
            id="a condition on a fake device",
        ),
        pytest.param(
            "import copy\nfrom qiskit_aer import AerSimulator, QasmSimulator\n"
            "one = AerSimulator(method='density_matrix')\none.name = 'mine'\n"
            "value = [QasmSimulator().name(), QasmSimulator().name, copy.deepcopy(one).name(),"
            " one.run(measured, shots=3).result().backend_name]",
            ["qasm_simulator", "qasm_simulator", "mine", "mine"],
            id="simulators that a program makes have a callable name",
        ),
        pytest.param(
            "import copy\nmeasured.name, measured.metadata = 'mine', {'a': 1}\n"
            "result = copy.deepcopy(execute(measured, Aer.get_backend('aer_simulator'), shots=5).result())\n"
            "header = result.results[0].header\n"
            "del vars(result.results[0])['header']\nno_header = 'header' not in result.results[0].to_dict()\n"
            "result.results[0].header = dict(header)\n"
            "value = [no_header, header.name, header['name'], header.metadata, header.to_dict()['n_qubits'],"
            " hasattr(header, 'other'), sum(result.get_counts('mine').values()),"
            " result.to_dict()['results'][0]['header']['name']]",
            [True, "mine", "mine", {"a": 1}, 2, False, 5, "mine"],
            id="headers of results have attributes",
        ),
        pytest.param(
            "from qiskit.extensions import UnitaryGate, XGate\n"
            "from qiskit.extensions.unitary import UnitaryGate as same\n"
            "value = [UnitaryGate is same, XGate().name]",
            [True, "x"],
            id="extensions",
        ),
        pytest.param(
            "import retworkx as rx\nvalue = rx.PyGraph().num_nodes()", 0, id="retworkx",
        ),
    ],
)  # fmt: skip
def test_circuits_are_run_as_they_were(layered: Layered, code: str, value: Any) -> None:
    assert layered(EVERYTHING + BELL + code).value == value


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("backend_properties=None, inst_map=None, timing_constraints=None", []),
        ("backend_properties=5", ["backend_properties"]),
        ("coupling_map=[[0, 1], [1, 0]], routing_method='stochastic'", ["routing_method='stochastic'"]),
        ("coupling_map=[[0, 1], [1, 0]], layout_method='noise_adaptive'", ["layout_method='noise_adaptive'"]),
    ],
)
def test_transpile_does_without_what_is_gone_and_says_so(layered: Layered, arguments: str, told: list[str]) -> None:
    answer = layered(EVERYTHING + BELL + f"value = transpile(measured, {arguments}).num_qubits")
    assert answer.value == 2
    warned = [text for text in answer["told"] if text.startswith("Qiskit no longer has")]
    assert warned == [f"Qiskit no longer has, and does without: {name}" for name in told]


class TestPrimitives:
    def test_a_sampler_gives_exact_distributions_without_shots(self, layered: Layered) -> None:
        code = (
            "from qiskit.primitives import Sampler\nvalue = Sampler().run([measured, measured]).result().quasi_dists[1]"
        )
        assert {int(key): one for key, one in layered(EVERYTHING + BELL + code).value.items()} == {
            0: pytest.approx(0.5),
            3: pytest.approx(0.5),
        }

    def test_an_estimator_gives_exact_values_without_shots(self, layered: Layered) -> None:
        code = """
            from qiskit.circuit.library import RealAmplitudes
            from qiskit.primitives import Estimator
            from qiskit.quantum_info import SparsePauliOp, Statevector
            ansatz, observable = RealAmplitudes(2, reps=1), SparsePauliOp.from_list([("ZZ", 1), ("XI", 0.5)])
            numbers = [0.1, 0.2, 0.3, 0.4]
            exact = Statevector(ansatz.assign_parameters(numbers)).expectation_value(observable).real
            estimated = Estimator().run(ansatz, observable, numbers).result().values[0]
            sampling = Estimator(options={"shots": 1000, "seed": 1})
            noisy = sampling.run([ansatz], [observable], [numbers]).result().values[0]
            value = [float(estimated - exact), float(abs(noisy - exact))]
        """
        exact, noisy = layered(EVERYTHING + _dedent(code)).value
        assert abs(exact) < 1e-9
        assert 0 < noisy < 0.2

    def test_those_on_a_backend_measure(self, layered: Layered) -> None:
        code = """
            from qiskit.primitives import BackendEstimator, BackendSampler
            from qiskit.quantum_info import Pauli
            from runtime_runner import backends
            backend = backends.build("fake", {"generic": {"numQubits": 4, "seed": 3}})
            sampled = BackendSampler(backend, options={"shots": 2000, "seed_simulator": 1}).run(measured).result()
            estimator = BackendEstimator(backend)
            estimator.set_options(shots=4000, seed_simulator=2)
            estimated = estimator.run([bell, bell], [Pauli("ZZ"), Pauli("ZI")]).result()
            value = [sampled.quasi_dists[0].get(0, 0) + sampled.quasi_dists[0].get(3, 0), sampled.metadata[0]["shots"],
                     *estimated.values.tolist()]
        """
        correlated, shots, both, one = layered(EVERYTHING + BELL + _dedent(code)).value
        assert shots == 2000
        assert correlated > 0.9
        assert both > 0.85
        assert abs(one) < 0.1


def test_readout_is_mitigated_by_the_calibration_matrix(layered: Layered) -> None:
    code = """
        from qiskit.providers.aer import AerSimulator
        from qiskit.providers.aer.noise import NoiseModel, ReadoutError
        from qiskit.utils.mitigation import CompleteMeasFitter, complete_meas_cal
        noise = NoiseModel()
        noise.add_all_qubit_readout_error(ReadoutError([[0.9, 0.1], [0.2, 0.8]]))
        backend = AerSimulator(noise_model=noise)
        calibration, labels = complete_meas_cal(qubit_list=[0, 1], circlabel="mcal")
        results = execute(calibration, backend, shots=20_000, seed_simulator=1).result()
        fitter = CompleteMeasFitter(results, labels, circlabel="mcal")
        raw = execute(measured, backend, shots=20_000, seed_simulator=2).result()
        corrected = fitter.filter.apply(raw)
        value = [fitter.cal_matrix.sum(axis=0).tolist(), fitter.readout_fidelity(), raw.get_counts(),
                 corrected.get_counts(), fitter.filter.apply(raw.get_counts(), method="pseudo_inverse")]
    """
    columns, fidelity, raw, corrected, inverse = layered(EVERYTHING + BELL + _dedent(code)).value
    assert columns == pytest.approx([1] * 4)
    assert fidelity == pytest.approx(0.725, abs=0.01)
    assert raw["01"] + raw["10"] > 4000
    for counts in (corrected, inverse):
        assert counts["00"] == pytest.approx(10_000, abs=500)
        assert counts["11"] == pytest.approx(10_000, abs=500)
        assert sum(counts.values()) == pytest.approx(20_000, abs=1)


def _dedent(code: str) -> str:
    import textwrap

    return textwrap.dedent(code)
