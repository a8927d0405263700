"""Users with different rights, private and public programs: what each may do works, what not says what is missing."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest
from e2e.support import users
from quantum_runtime import RuntimeService
from quantum_runtime.exceptions import IBMNotAuthorizedError, RuntimeDuplicateProgramError, RuntimeProgramNotFound

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from e2e.support.cluster import Cluster, Space

PROGRAM = """
def main(backend, user_messenger, word="hello"):
    user_messenger.publish(word)
    return word.{change}()
"""
METADATA = {"name": "shout", "description": "Says it louder.", "max_execution_time": 60}


@pytest.fixture(scope="module")
def author(space: Space, tmp_path_factory: pytest.TempPathFactory) -> RuntimeService:
    """May edit in the namespace, and publish to the whole cluster."""
    folder = tmp_path_factory.mktemp("author")
    path = users.kubeconfig(space, folder, "author", may="edit", everywhere="quantum-runtime-publish")
    return RuntimeService(kubeconfig=path)


@pytest.fixture(scope="module")
def reader(space: Space, tmp_path_factory: pytest.TempPathFactory) -> RuntimeService:
    """May look at what is in the author's namespace."""
    return RuntimeService(kubeconfig=users.kubeconfig(space, tmp_path_factory.mktemp("reader"), "reader", may="view"))


@pytest.fixture(scope="module")
def elsewhere(cluster: Cluster) -> Iterator[Space]:
    space = cluster.namespace("elsewhere")
    yield space
    space.remove()


@pytest.fixture(scope="module")
def guests_kubeconfig(elsewhere: Space, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return users.kubeconfig(elsewhere, tmp_path_factory.mktemp("guest"), "guest", may="edit")


@pytest.fixture(scope="module")
def guest(guests_kubeconfig: Path) -> RuntimeService:
    """May edit in a namespace of their own."""
    return RuntimeService(kubeconfig=guests_kubeconfig)


@pytest.fixture
def private(author: RuntimeService) -> str:
    name = f"shout-{uuid.uuid4().hex[:8]}"
    return author.upload_program(PROGRAM.format(change="upper"), METADATA | {"name": name})


@pytest.fixture
def public(author: RuntimeService, private: str) -> Iterator[str]:
    author.set_program_visibility(private, public=True)
    yield private
    if any(program.program_id == private for program in author.programs(refresh=True, limit=None)):
        author.delete_program(private)


def test_an_author_uploads_runs_updates_and_deletes_a_private_program(author: RuntimeService, private: str) -> None:
    assert not author.program(private).is_public
    heard: list[tuple[str, str]] = []
    job = author.run(private, inputs={"word": "Hello"}, callback=lambda *said: heard.append(said))
    assert job.result() == "HELLO"
    assert heard == [(job.job_id(), "Hello")]
    author.update_program(private, data=PROGRAM.format(change="lower"), description="Whispers.")
    assert author.program(private, refresh=True).description == "Whispers."
    assert author.run(private, inputs={"word": "Hello"}).result() == "hello"
    author.delete_program(private)
    with pytest.raises(RuntimeProgramNotFound, match=private):
        author.run(private)
    with pytest.raises(RuntimeProgramNotFound, match=private):
        author.delete_program(private)


def test_a_program_of_the_same_name_is_not_replaced(author: RuntimeService, private: str) -> None:
    with pytest.raises(RuntimeDuplicateProgramError, match=private):
        author.upload_program(PROGRAM.format(change="lower"), METADATA | {"name": private})


def test_a_public_program_is_everybodys_to_run_until_it_is_deleted(
    author: RuntimeService, guest: RuntimeService, public: str
) -> None:
    assert guest.program(public).is_public
    assert guest.run(public, inputs={"word": "Hello"}).result() == "HELLO"
    author.update_program(public, data=PROGRAM.format(change="lower"))
    assert guest.run(public, inputs={"word": "Hello"}).result() == "hello"
    author.set_program_visibility(public, public=False)
    with pytest.raises(RuntimeProgramNotFound):
        guest.program(public, refresh=True)
    assert author.run(public, inputs={"word": "Hello"}).result() == "hello"
    author.set_program_visibility(public, public=True)
    author.delete_program(public)
    with pytest.raises(RuntimeProgramNotFound):
        guest.run(public)


def test_what_a_guest_may_not_do_to_a_public_program_names_the_missing_permission(
    guest: RuntimeService, public: str
) -> None:
    named = r"clusterruntimeprograms\.quantumruntime\.dev"
    with pytest.raises(IBMNotAuthorizedError, match=rf"(?s)guest.*\bupdate\b.*{named}"):
        guest.update_program(public, description="mine")
    with pytest.raises(IBMNotAuthorizedError, match=rf"(?s)guest.*\bdelete\b.*{named}"):
        guest.delete_program(public)
    mine = guest.upload_program(PROGRAM.format(change="title"), METADATA | {"name": f"mine-{uuid.uuid4().hex[:8]}"})
    with pytest.raises(IBMNotAuthorizedError, match=rf"(?s)guest.*\bcreate\b.*{named}"):
        guest.set_program_visibility(mine, public=True)
    assert not guest.program(mine, refresh=True).is_public


def test_what_a_reader_may_not_do_names_the_missing_permission(
    author: RuntimeService, reader: RuntimeService, private: str
) -> None:
    job = author.run(private, inputs={"word": "Hello"})
    assert job.result() == "HELLO"
    assert reader.program(private).program_id == private
    assert reader.job(job.job_id()).result() == "HELLO"
    with pytest.raises(IBMNotAuthorizedError, match=r"(?s)reader.*\bcreate\b.*runtimejobs\.quantumruntime\.dev"):
        reader.run(private)
    with pytest.raises(IBMNotAuthorizedError, match=r"(?s)reader.*\bdelete\b.*runtimejobs\.quantumruntime\.dev"):
        reader.delete_job(job.job_id())
    with pytest.raises(IBMNotAuthorizedError, match=r"(?s)reader.*\bcreate\b.*runtimeprograms\.quantumruntime\.dev"):
        reader.upload_program(PROGRAM.format(change="title"), METADATA)
    with pytest.raises(IBMNotAuthorizedError, match=r"(?s)reader.*\bdelete\b.*runtimeprograms\.quantumruntime\.dev"):
        reader.delete_program(private)


def test_a_stranger_sees_nothing_of_a_namespace_and_is_told_why(guests_kubeconfig: Path, space: Space) -> None:
    stranger = RuntimeService(namespace=space.name, kubeconfig=guests_kubeconfig)
    with pytest.raises(IBMNotAuthorizedError, match=rf"(?s)guest.*\blist\b.*runtimejobs.*{space.name}"):
        stranger.jobs()
