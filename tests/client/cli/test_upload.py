from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from quantum_runtime.cluster.api import PROGRAMS, PUBLIC_PROGRAMS
from quantum_runtime.service.program import RuntimeProgram

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from client.cli.conftest import Terminal

    Write = Callable[..., Path]

MAIN = "def main(backend, user_messenger, **kwargs):\n    return kwargs"


def test_a_folder_becomes_a_private_program(terminal: Terminal, write: Write) -> None:
    path = write(MAIN, description="Says it.", spec={"parameters": {"type": "object"}})
    done = terminal(f"upload {path}")
    assert (done.stdout, done.stderr) == ("runtimeprogram.quantumruntime.dev/my-program created\n", "")
    body = terminal.api.object(PROGRAMS, "my-program")
    program = RuntimeProgram(body)
    assert (program.name, program.description, program.max_execution_time) == ("my-program", "Says it.", 60)
    assert (program.data, body["spec"]["parameters"]) == ((path / "my_program.py").read_text(), {"type": "object"})


def test_a_file_without_metadata_has_the_clusters_time_limit(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "bell.py").write_text(MAIN)
    assert terminal(f"upload {tmp_path / 'bell.py'} -o name").stdout == "runtimeprogram.quantumruntime.dev/bell\n"
    assert terminal.api.object(PROGRAMS, "bell")["spec"]["maxExecutionTimeSeconds"] == 28800


@pytest.mark.parametrize(("options", "metadata"), [("--public", {}), ("", {"is_public": True})])
def test_a_program_goes_into_the_catalogue(
    terminal: Terminal, write: Write, options: str, metadata: dict[str, bool]
) -> None:
    done = terminal(f"upload {write(MAIN, **metadata)} {options}")
    assert done.stdout == "clusterruntimeprogram.quantumruntime.dev/my-program created\n"
    assert terminal.api.object(PUBLIC_PROGRAMS, "my-program")["spec"]["maxExecutionTimeSeconds"] == 60


def test_what_is_not_as_its_author_may_expect_is_a_warning(terminal: Terminal, write: Write) -> None:
    done = terminal(f"upload {write(MAIN, author='Ada')}")
    assert done.stderr == (
        "warning: my_program.json: author: a cluster has no field for this; it is kept as an annotation\n"
    )


class TestReplacing:
    def test_takes_an_option(self, terminal: Terminal, write: Write) -> None:
        path = write(MAIN)
        terminal(f"upload {path}")
        done = terminal(f"upload {path}")
        assert done.exit_code == 1
        assert done.stderr == "Error: there is a RuntimeProgram 'my-program' already; --replace replaces it\n"

    def test_leaves_nothing_of_the_old_program(self, terminal: Terminal, write: Write) -> None:
        spec = {"parameters": {"type": "object"}, "backend_requirements": {"min_num_qubits": 5}, "profile": "gpu"}
        path = write(MAIN, description="Old.", spec=spec, files={"helper.py": ""})
        terminal(f"upload {path}")
        (path / "helper.py").unlink()
        new = {"name": "my-program", "max_execution_time": 90, "spec": {"validate_results": "Enforce"}}
        (path / "my_program.json").write_text(json.dumps(new))
        (path / "my_program.py").write_text("def main(backend, user_messenger): pass\n")
        done = terminal(f"upload {path} --replace")
        assert (done.stdout, done.stderr) == ("runtimeprogram.quantumruntime.dev/my-program replaced\n", "")
        assert terminal.api.object(PROGRAMS, "my-program")["spec"] == {
            "maxExecutionTimeSeconds": 90,
            "entrypoint": "my_program.py",
            "source": {"inline": "def main(backend, user_messenger): pass\n"},
            "compatibility": "None",
            "validateResults": "Enforce",
        }

    def test_makes_a_program_that_is_not_there(self, terminal: Terminal, write: Write) -> None:
        assert "created" in terminal(f"upload {write(MAIN)} --replace").stdout

    def test_makes_what_an_upload_makes(self, terminal: Terminal, write: Write) -> None:
        path = write(MAIN, description="Old.", licence="MIT", spec={"parameters": {"type": "object"}, "extra": 1})
        terminal(f"upload {path}")
        new = {"name": "my-program", "max_execution_time": 90, "author": "Ada"}
        (path / "my_program.json").write_text(json.dumps(new))
        terminal(f"upload {path} --replace")
        replaced = terminal.api.object(PROGRAMS, "my-program")
        terminal("delete program/my-program")
        terminal(f"upload {path}")
        uploaded = terminal.api.object(PROGRAMS, "my-program")
        assert replaced["spec"] == uploaded["spec"]
        assert replaced["metadata"]["annotations"] == uploaded["metadata"]["annotations"]

    def test_warns_once(self, terminal: Terminal, write: Write) -> None:
        path = write(MAIN, author="Ada")
        terminal(f"upload {path}")
        assert terminal(f"upload {path} --replace").stderr.count("warning:") == 1

    def test_of_a_public_program_leaves_a_private_one_of_its_name_alone(self, terminal: Terminal, write: Write) -> None:
        path = write(MAIN)
        terminal(f"upload {path} --public")
        terminal(f"upload {path}")
        before = terminal.api.objects(PROGRAMS)
        (path / "my_program.py").write_text("def main(backend, user_messenger): pass\n")
        done = terminal(f"upload {path} --public --replace")
        assert done.stdout == "clusterruntimeprogram.quantumruntime.dev/my-program replaced\n"
        assert terminal.api.objects(PROGRAMS) == before
        assert "pass" in terminal.api.object(PUBLIC_PROGRAMS, "my-program")["spec"]["source"]["inline"]


def test_a_private_program_is_not_deleted_for_a_public_one(terminal: Terminal) -> None:
    terminal.program("toss")
    terminal.program("toss", public=True)
    done = terminal("delete clusterruntimeprogram.quantumruntime.dev/toss")
    assert done.exit_code == 1
    assert len(terminal.api.objects(PROGRAMS)) == 1


def test_a_folder_without_a_program_is_wrong_usage(terminal: Terminal, tmp_path: Path) -> None:
    done = terminal(f"upload {tmp_path}")
    assert done.exit_code == 2
    assert done.stderr.startswith(f"error: {tmp_path}: there is neither")
