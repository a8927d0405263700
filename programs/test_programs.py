"""What holds for every program here, without a line about any one of them."""

import importlib.util
import sys
import warnings
from pathlib import Path

import pytest
from jsonschema import Draft201909Validator
from quantum_runtime import catalog, folder
from runtime_runner import backends
from runtime_runner.messenger import UserMessenger

HERE = Path(__file__).parent
PROGRAMS = [path.name for path in catalog.programs_in(HERE)]
EXAMPLES = [(name, path.stem) for name in PROGRAMS for path in sorted((HERE / name / "examples").glob("*.json"))]
SCHEMAS = ("parameters", "return_values", "interim_results")


@pytest.fixture(params=PROGRAMS)
def source(request):
    """One program as its author keeps it."""
    return folder.read(HERE / request.param)


def test_its_name_is_that_of_its_folder_with_hyphens_and_nothing_is_to_be_said_against_it(source):
    assert source.metadata.document["name"] == source.path.name.replace("_", "-")
    assert source.entrypoint == f"{source.path.name}.py"
    assert folder.inspect(source.path)[1] == []


def test_it_has_a_description_examples_and_a_test(source):
    assert source.metadata.description
    assert source.examples
    assert (source.path / f"test_{source.path.name}.py").is_file()


def test_its_schemas_are_valid_and_describe_every_input(source):
    for name in SCHEMAS:
        if schema := getattr(source.metadata, name):
            Draft201909Validator.check_schema(schema)
    assert source.metadata.parameters["type"] == "object"
    for name, schema in source.metadata.parameters["properties"].items():
        assert schema["description"], name


def test_the_examples_satisfy_the_parameters_and_a_mistaken_input_does_not(source):
    parameters = Draft201909Validator(source.metadata.parameters)
    for name, inputs in source.examples.items():
        assert [error.message for error in parameters.iter_errors(inputs)] == [], name
        required = source.metadata.parameters.get("required", [])
        assert all(not parameters.is_valid({k: v for k, v in inputs.items() if k != left}) for left in required)


def members(value):
    """Return all members of objects in the value, with their names."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for name, item in inner for found in [(name, item), *members(item)]]


def test_its_examples_have_no_null_which_kubectl_apply_drops(source):
    for name, inputs in source.examples.items():
        assert [member for member, value in members(inputs) if value is None] == [], name


def test_shots_are_a_positive_number_or_a_word_and_never_null(source):
    schemas = [schema for name, schema in members(source.metadata.parameters) if name == "shots"]
    for schema in map(Draft201909Validator, schemas):
        assert schema.is_valid(1)
        assert [given for given in (None, 0, 1.5, "many", "1") if schema.is_valid(given)] == []


@pytest.mark.parametrize(("name", "example"), EXAMPLES, ids=lambda value: value)
def test_the_example_runs_and_all_it_says_is_as_declared(program_of, name, example):
    """The fixture's runs enforce the schemas; a result that is not as declared ends in InvalidResult."""
    _, outcome = program_of(HERE / name).example(example)
    assert outcome.succeeded, outcome.message
    assert outcome.warnings == ()
    assert outcome.logs == ""


@pytest.mark.aer
@pytest.mark.parametrize(("name", "example"), EXAMPLES, ids=lambda value: value)
def test_it_calls_nothing_that_is_deprecated(name, example, monkeypatch):
    """Run in this process, where a warning can be made an error."""
    source = folder.read(HERE / name)
    monkeypatch.syspath_prepend(source.path)
    before = set(sys.modules)
    spec = importlib.util.spec_from_file_location(name, source.path / source.entrypoint)
    module = importlib.util.module_from_spec(spec)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", DeprecationWarning)
            warnings.simplefilter("error", PendingDeprecationWarning)
            spec.loader.exec_module(module)
            module.main(
                backends.build("aer", {"aer": {}}), UserMessenger(lambda text: None), **source.examples[example]
            )
    finally:
        own = {Path(file).stem for file in source.files}
        for added in (set(sys.modules) - before) & own:
            del sys.modules[added]


def test_the_documentation_leaves_out_no_input_of_a_program_it_lists(source):
    rows = (HERE.parent / "docs" / "programs.md").read_text().splitlines()
    for row in [row for row in rows if row.startswith(f"| `{source.name}` |")]:
        inputs = row.split("|")[2]
        assert [name for name in source.metadata.parameters["properties"] if f"`{name}`" not in inputs] == []


def test_every_program_is_in_a_catalogue_or_kept_out_on_purpose():
    said = catalog.load(HERE / catalog.CATALOG_FILE)
    names = {name.replace("_", "-") for name in PROGRAMS}
    assert said.programs.keys() <= names
    assert [name for name in names if not said.of(name) and name not in said.programs] == []


def test_the_manifests_are_those_of_the_programs():
    assert [str(difference) for difference in catalog.compare(HERE, catalog.render(HERE))] == []
