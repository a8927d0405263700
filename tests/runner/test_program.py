"""How programs are loaded and called, and what their users are told when something is wrong with them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from runner.harness import Journal, make_job, program
from runtime_runner.contract import FailureReason

if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.harness import Runner

    Run = Callable[..., Journal]


class TestProgramsThatCannotBeRun:
    @pytest.mark.parametrize(
        ("source", "message"),
        [
            pytest.param("x = 1", "main.py has no function main(backend, user_messenger, **kwargs)", id="without main"),
            pytest.param("main = 5", "main in main.py is no function but of type int", id="main is a number"),
            pytest.param("async def main(b, m): pass", "main in main.py must not be async", id="main is async"),
            pytest.param(
                "def main(): pass",
                "main() must take backend and user_messenger as its first two arguments",
                id="main takes nothing",
            ),
            pytest.param(
                "x = 1\ndef main(b, m)\n    return 1\n",
                "main.py:2: SyntaxError: expected ':': def main(b, m)",
                id="a syntax error",
            ),
            pytest.param(
                "def main(b, m):\n  x = 1\n    y = 2\n",
                "main.py:3: IndentationError: unexpected indent: y = 2",
                id="wrong indentation",
            ),
            pytest.param(
                "def main(b, m):\n    print 'x'\n", "main.py:2: SyntaxError: Missing parentheses", id="Python 2"
            ),
            pytest.param("\0", "main.py holds a NUL character", id="a NUL"),
            pytest.param("'\ud800'", "main.py holds text that is not valid Unicode", id="a lone surrogate"),
        ],
    )
    def test_the_message_says_what_is_wrong_and_where(self, run: Run, source: str, message: str) -> None:
        failed = run(source).failed
        assert failed.reason == FailureReason.INVALID_PROGRAM
        assert message in failed.message
        assert "/" not in failed.message

    def test_an_entrypoint_that_is_not_among_the_files(self, run: Run) -> None:
        failed = run("", files={"a.py": "", "b.py": ""}).failed
        assert failed.reason == FailureReason.INVALID_PROGRAM
        assert failed.message == "the entrypoint 'main.py' is not among the program's files (a.py, b.py)"

    @pytest.mark.parametrize("path", ["../x.py", "/tmp/x.py", "a/../../x.py", "", "a\0b", "main.py/x.py", "x" * 300])
    def test_a_file_outside_the_programs_folder(self, run: Run, path: str) -> None:
        failed = run("", files={"main.py": "def main(b, m): pass", path: "x"}).failed
        assert failed.reason == FailureReason.INVALID_PROGRAM
        assert repr(path)[1:-1][:200] in failed.message

    def test_a_syntax_error_in_another_file_of_the_program(self, run: Run) -> None:
        files = {"main.py": "import helpers\ndef main(b, m): pass", "helpers.py": "def f(:\n"}
        failed = run("", files=files).failed
        assert failed.reason == FailureReason.INVALID_PROGRAM
        assert failed.message.startswith("helpers.py:1: SyntaxError: ")

    def test_a_source_of_10_mb_is_run(self, run: Run) -> None:
        assert run("def main(b, m): return len(X)\nX = '" + "x" * 10_000_000 + "'").result == "10000000"


class TestProgramsOfSeveralFiles:
    def test_modules_and_packages_of_the_program_can_be_imported(self, run: Run) -> None:
        files = {
            "main.py": "import helpers\nfrom parts.one import ONE\ndef main(b, m): return [helpers.TWO, ONE]",
            "helpers.py": "TWO = 2",
            "parts/__init__.py": "",
            "parts/one.py": "from .zero import ZERO\nONE = ZERO + 1",
            "parts/zero.py": "ZERO = 0",
        }
        assert run("", files=files).result == "[2, 1]"

    def test_an_entrypoint_in_a_package_may_import_relatively(self, run: Run) -> None:
        files = {"app/run.py": "from . import data\ndef main(b, m): return data.X", "app/data.py": "X = 1"}
        assert run("", files=files, entrypoint="app/run.py").result == "1"

    @pytest.mark.parametrize("name", ["random.py", "sys.py", "my-program.py", "2.py", "program", "runtime_runner.py"])
    def test_the_entrypoint_may_have_any_name(self, run: Run, name: str) -> None:
        files = {name: "import random, sys\ndef main(b, m): return [random.random() < 2, sys.argv]"}
        assert json.loads(run("", files=files, entrypoint=name).result) == [True, [name]]

    @pytest.mark.parametrize(
        "way",
        [
            pytest.param("open('data/x.txt').read()", id="relative to the working directory"),
            pytest.param("(pathlib.Path(__file__).parent / 'data' / 'x.txt').read_text()", id="beside __file__"),
            pytest.param("importlib.resources.files('data').joinpath('x.txt').read_text()", id="as a resource"),
            pytest.param("pkgutil.get_data('data', 'x.txt').decode()", id="as data of a package"),
        ],
    )
    def test_the_program_finds_its_data_files_where_it_is(self, run: Run, way: str) -> None:
        source = f"import importlib.resources, pathlib, pkgutil\ndef main(b, m): return {way}"
        files = {"main.py": source, "data/x.txt": "ünï", "data/__init__.py": ""}
        assert json.loads(run("", files=files).result) == "ünï"

    def test_a_package_finds_its_data_files_inside_it(self, run: Run) -> None:
        files = {
            "app/run.py": "from importlib import resources\nfrom .tables import TABLE\n"
            "def main(b, m): return [TABLE, resources.files(__package__).joinpath('x.txt').read_text()]",
            "app/tables/__init__.py": "import json, pathlib\n"
            "TABLE = json.loads((pathlib.Path(__file__).parent / 'table.json').read_text())",
            "app/tables/table.json": "[1, 2]",
            "app/x.txt": "x",
        }
        assert json.loads(run("", files=files, entrypoint="app/run.py").result) == [[1, 2], "x"]

    def test_an_absolute_import_of_the_entrypoints_neighbour_needs_its_package(self, run: Run) -> None:
        files = {"app/run.py": "import app.helpers as h\ndef main(b, m): return h.X", "app/helpers.py": "X = 1"}
        assert run("", files=files, entrypoint="app/run.py").result == "1"


class TestInputs:
    def test_inputs_are_keyword_arguments_decoded_from_tagged_json(self, run: Run) -> None:
        inputs = {
            "z": {"__type__": "complex", "__value__": [1, 2]},
            "when": {"__type__": "datetime", "__value__": "2021-07-02"},
            "nested": [{"x": {"__type__": "set", "__value__": [1, 1]}}],
            "foreign": {"__type__": "settings", "__module__": "os", "__class__": "system", "__value__": {}},
        }
        journal = run("def main(b, m, z, when, **rest): return [str(z), str(when), str(rest)]", inputs)
        assert json.loads(journal.result) == [
            "(1+2j)",
            "2021-07-02",
            str({"nested": [{"x": {1}}], "foreign": inputs["foreign"]}),
        ]

    def test_an_input_that_is_not_what_its_tag_says_is_named(self, run: Run) -> None:
        failed = run("def main(b, m, x): pass", {"x": {"__type__": "complex", "__value__": "a"}}).failed
        assert failed.message.startswith("the input 'x' cannot be read: what is tagged 'complex' cannot be read: ")

    @pytest.mark.parametrize(
        ("signature", "inputs", "message"),
        [
            ("b, m, n", {}, "the job lacks the input 'n', which main() needs"),
            ("b, m, *, n", {}, "the job lacks the input 'n', which main() needs"),
            ("b, m, n=1, k=2", {"x": 1}, "the job has an input 'x', which main() does not take (it takes n, k)"),
            ("b, m", {"x": 1}, "the job has an input 'x', which main() does not take (it takes no inputs)"),
            ("backend, m, **k", {"backend": 1}, "the job has an input 'backend', which main() gets from the runner"),
            ("b, m, n", {"x": 1}, "(it takes n); it lacks the input 'n', which main() needs"),
        ],
    )
    def test_inputs_that_do_not_fit_are_named(
        self, run: Run, signature: str, inputs: dict[str, int], message: str
    ) -> None:
        failed = run(f"def main({signature}): pass", inputs).failed
        assert failed.reason == FailureReason.INVALID_INPUT
        assert message in failed.message

    def test_what_is_not_set_keeps_its_default(self, run: Run) -> None:
        source = "def main(backend, user_messenger, n, k=2, *, last='z'): return [n, k, last]"
        assert json.loads(run(source, {"n": 1, "last": "a"}).result) == [1, 2, "a"]

    @pytest.mark.parametrize("signature", ["*args, **kwargs", "b, m, n=2, **k", "b, m, /, n=2"])
    def test_every_ordinary_signature_is_accepted(self, run: Run, signature: str) -> None:
        assert run(f"def main({signature}): return 1", {"n": 1}).result == "1"


class TestExceptions:
    def test_the_traceback_shows_the_programs_frames_with_lines_and_source(self, run: Run) -> None:
        files = {
            "main.py": program(
                """
                import json
                from parts.helpers import parse

                def main(backend, user_messenger):
                    try:
                        parse("{")
                    except ValueError as error:
                        raise RuntimeError("bad input") from error
                """
            ),
            "parts/helpers.py": "import json\n\ndef parse(text):\n    return json.loads(text)\n",
        }
        failed = run("", files=files).failed
        assert failed.reason == FailureReason.PROGRAM_FAILED
        assert failed.message == "RuntimeError: bad input"
        lines = failed.traceback.splitlines()
        assert lines[:5] == [
            "Traceback (most recent call last):",
            '  File "main.py", line 6, in main',
            '    parse("{")',
            *([lines[3]] if "^" in lines[3] else []),
            '  File "parts/helpers.py", line 4, in parse',
            *([] if "^" in lines[3] else ["    return json.loads(text)"]),
        ]
        assert "The above exception was the direct cause" in failed.traceback
        assert '  File "main.py", line 8, in main' in lines
        assert "json/decoder.py" in failed.traceback
        assert 'File "/' not in failed.traceback
        assert "runtime_runner" not in failed.traceback
        assert lines[-1] == "RuntimeError: bad input"

    def test_source_lines_are_shown_even_if_the_program_has_removed_itself(self, run: Run) -> None:
        failed = run("import os\ndef main(b, m):\n    os.remove('main.py')\n    raise ValueError(1)").failed
        assert "raise ValueError(1)" in failed.traceback

    def test_an_exception_while_the_module_is_loaded(self, run: Run) -> None:
        failed = run("from json import nonexistent\ndef main(b, m): pass").failed
        assert failed.reason == FailureReason.PROGRAM_FAILED
        assert failed.message.startswith("ImportError: cannot import name 'nonexistent' from 'json'")
        assert failed.traceback.splitlines()[1] == '  File "main.py", line 1, in <module>'

    @pytest.mark.parametrize(
        ("statement", "message"),
        [
            ("raise KeyboardInterrupt", "KeyboardInterrupt"),
            ("raise BaseException('x')", "BaseException: x"),
            ("raise GeneratorExit", "GeneratorExit"),
            ("raise MemoryError", "MemoryError"),
            ("main(backend, user_messenger)", "RecursionError: maximum recursion depth exceeded"),
            ("raise ValueError('x' * 10**7)", "ValueError: xxx"),
            ("raise ValueError('\\ud800\\0\\x1b')", "ValueError: \\ud800\0\x1b"),
            ("raise type('Odd', (Exception,), {'__str__': lambda self: 1/0})()", "Odd: (its text cannot be shown"),
            ("raise type('Odd', (Exception,), {'__str__': lambda self: exit(0)})()", "Odd: (its text cannot be shown"),
            ("raise ExceptionGroup('several', [ValueError(1), TypeError(2)])", "ExceptionGroup: several (2 sub-excep"),
            ("bytearray(10**15)", "MemoryError"),
        ],
    )
    def test_every_exception_is_told(self, run: Run, statement: str, message: str) -> None:
        failed = run(f"def main(backend, user_messenger):\n    {statement}").failed
        assert failed.reason == FailureReason.PROGRAM_FAILED
        assert failed.message.startswith(message)
        assert len(failed.message) <= 1024
        assert len(failed.traceback) <= 16 * 1024

    def test_a_program_that_destroys_the_interpreter_fails_like_one_that_exits(self, run: Run) -> None:
        failed = run("def main(b, m):\n    __builtins__.clear()\n    x").failed
        assert failed.reason == FailureReason.PROGRAM_EXITED

    @pytest.mark.parametrize(
        ("code", "shown"), [("", "0"), ("0", "0"), ("3", "3"), ("'bye'", "'bye'"), ("None", "0"), ("[1]", "'[1]'")]
    )
    def test_sys_exit_is_no_way_to_end_a_program(self, run: Run, code: str, shown: str) -> None:
        failed = run(f"import sys\ndef main(b, m):\n    sys.exit({code})").failed
        assert failed.reason == FailureReason.PROGRAM_EXITED
        assert failed.message == (
            f"the program called sys.exit({shown}); to end, return the result from main() or raise an exception"
        )
        assert 'File "main.py", line 3, in main' in failed.traceback


class TestResults:
    @pytest.mark.parametrize(
        ("expression", "message"),
        [
            pytest.param("object()", "main() returned: result is of type object", id="an object"),
            pytest.param(
                "{'history': [0, 1, 2, {'solver': iter('')}]}",
                "main() returned: result['history'][3]['solver'] is of type str_ascii_iterator",
                id="an iterator deep inside",
            ),
            pytest.param(
                "{'a': {(0, 1): 2}}", "result['a'] has the key (0, 1): JSON has no keys of type tuple", id="a key"
            ),
            pytest.param("cyclic()", "main() returned: result['self'][1]['self'][1][0] contains itself", id="a cycle"),
            pytest.param("deep()", "main() returned: result is nested too deeply", id="a million lists in one another"),
            pytest.param("[{1: 0, '1': 0}]", "result[0] has the keys 1 and '1', which are one", id="two keys alike"),
            pytest.param("ValueError()", "main() returned: result is of type ValueError", id="an exception"),
            pytest.param(
                "[Bad()]", "result[0] is of type main.Bad, which cannot be written as JSON (my own", id="to_json"
            ),
        ],
    )
    def test_what_cannot_be_written_is_named(self, run: Run, expression: str, message: str) -> None:
        journal = run(
            program(
                """
                def cyclic():
                    result = {}
                    result["self"] = [0, [result]]
                    return {"self": [1, result]}
                def deep():
                    result = []
                    for _ in range(10**6):
                        result = [result]
                    return result
                class Bad:
                    def to_json(self): raise ValueError("my own fault")
                """
            )
            + f"def main(b, m):\n    return {expression}"
        )
        assert journal.failed.reason == FailureReason.INVALID_RESULT
        assert message in journal.failed.message

    def test_a_to_json_that_fails_is_shown_with_its_line(self, run: Run) -> None:
        failed = run("class Bad:\n    def to_json(self): return 1 / 0\ndef main(b, m): return Bad()").failed
        assert failed.reason == FailureReason.INVALID_RESULT
        assert "def to_json(self): return 1 / 0" in failed.traceback

    def test_what_cannot_be_published_is_shown_at_the_programs_own_line(self, run: Run) -> None:
        failed = run("def main(b, m):\n    m.publish({'x': [object()]})").failed
        assert failed.reason == FailureReason.INVALID_RESULT
        assert failed.message == "EncodingError: message['x'][0] is of type object, which cannot be written as JSON"
        assert failed.traceback.splitlines()[1:3] == [
            '  File "main.py", line 2, in main',
            "    m.publish({'x': [object()]})",
        ]
        assert "runtime_runner/" not in failed.traceback

    def test_a_program_may_catch_what_it_cannot_publish_as_a_type_error(self, run: Run) -> None:
        source = """
            def main(b, m):
                try:
                    m.publish(object())
                except TypeError:
                    return "caught"
        """
        assert run(source).result == '"caught"'

    @pytest.mark.parametrize(
        ("body", "result"),
        [
            pytest.param("m.publish(1, final=True)", "1", id="the published one if main returns nothing"),
            pytest.param("m.publish(1, final=True); m.publish(2, final=True)", "2", id="the last one published"),
            pytest.param("m.publish(1, final=True); return 2", "2", id="the returned one if there are both"),
            pytest.param("m.publish(1, final=True); return None", "1", id="the published one if main returns None"),
            pytest.param("m.publish(None, final=True)", "null", id="None if published"),
        ],
    )
    def test_the_final_result_is(self, run: Run, body: str, result: str) -> None:
        journal = run(f"def main(b, m):\n    {body}")
        assert journal.result == result
        assert journal.interims == []

    def test_an_encoder_of_the_programs_own_is_used(self, run: Run) -> None:
        journal = run(
            """
            import json
            class Encoder(json.JSONEncoder):
                def default(self, o):
                    return "mine"
                def encode(self, o):
                    return super().encode(o) + " "
            def main(b, m):
                m.publish({"x": object()}, encoder=Encoder)
                m.publish([object()], encoder=Encoder, final=True)
            """
        )
        assert journal.interims == ['{"x": "mine"} ']
        assert journal.result == '["mine"] '

    @pytest.mark.parametrize("text", ["'{'", "'\"\\ud800\"'", "5", "'01'"])
    def test_an_encoder_that_writes_no_json_is_the_programs_fault(self, run: Run, text: str) -> None:
        source = f"""
            import json
            class Encoder(json.JSONEncoder):
                def encode(self, o): return {text}
            def main(b, m): m.publish(1, Encoder)
        """
        failed = run(source).failed
        assert failed.reason == FailureReason.INVALID_RESULT
        assert "what Encoder wrote for message is not JSON" in failed.message


def test_messages_of_many_threads_arrive_whole(run: Callable[..., Journal]) -> None:
    journal = run(
        """
        import threading
        def main(backend, user_messenger):
            def publish(letter):
                for number in range(20):
                    user_messenger.publish(letter * 20_000)
            threads = [threading.Thread(target=publish, args=[letter]) for letter in "abcde"]
            for thread in threads: thread.start()
            for thread in threads: thread.join()
        """
    )
    values = [json.loads(value) for value in journal.interims]
    assert sorted(value[0] for value in values) == sorted("abcde" * 20)
    assert all(len(value) == 20_000 and len(set(value)) == 1 for value in values)


@pytest.mark.parametrize("level", ["DEBUG", "WARNING"])
def test_the_log_level_decides_what_the_logging_module_writes(run: Callable[..., Journal], level: str) -> None:
    source = "import logging\ndef main(b, m):\n    logging.info('info')\n    logging.error('error')"
    log = run(source, log_level=level).log("stderr")
    assert log == ("INFO:root: info\n" if level == "DEBUG" else "") + "ERROR:root: error\n"


def test_a_bare_runner_says_what_a_backend_lacks(start: Callable[..., Runner]) -> None:
    failed = start().run(make_job("def main(b, m): pass", backend_name="aer", backend={"aer": {}})).failed
    assert failed.reason == FailureReason.INVALID_BACKEND
    assert failed.message == "backend 'aer' cannot be built: this runner image has no qiskit_aer"
