from __future__ import annotations

import asyncio
import json
import stat
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from quantum_runtime.cluster import errors, login
from quantum_runtime.cluster.api import JOBS
from quantum_runtime.cluster.connection import connect
from quantum_runtime.cluster.errors import ConnectionSettingsError
from support.api_server import fails, says

from .conftest import kubeconfig

if TYPE_CHECKING:
    from pathlib import Path

    from support.api_server import ApiServer

    from .conftest import Certificate

JOB = {"metadata": {"name": "a"}}


def sent(server: ApiServer, header: str = "Authorization") -> list[str | None]:
    return [received.headers.get(header) for received in server.received]


class Program:
    """A program that hands out tokens: token-1, token-2 and so on."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.file = folder / "hand-out"
        self.status(token="token-{count}")

    def status(self, **status: Any) -> None:
        self._write(
            f"""
import json, pathlib
counter = pathlib.Path({str(self._folder / "count")!r})
count = int(counter.read_text()) + 1 if counter.exists() else 1
counter.write_text(str(count))
status = json.loads({json.dumps(json.dumps(status))}.replace("{{count}}", str(count)))
print(json.dumps({{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": status}}))
"""
        )

    def fail(self, message: str) -> None:
        self._write(f"import sys; sys.exit({message!r})")

    def _write(self, script: str) -> None:
        self.file.write_text(f"#!{sys.executable}\n{script}")
        self.file.chmod(self.file.stat().st_mode | stat.S_IXUSR)

    @property
    def user(self) -> dict[str, Any]:
        execution = {"apiVersion": "client.authentication.k8s.io/v1", "command": str(self.file)}
        return {"exec": {**execution, "installHint": "Install it\nfirst."}}


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials are looked at before every request."""
    monkeypatch.setattr(login, "REFRESH_SECONDS", 0)


@pytest.mark.parametrize(
    ("user", "authorization"),
    [
        ({"token": "secret"}, "Bearer secret"),
        ({"username": "alice", "password": "secret"}, "Basic YWxpY2U6c2VjcmV0"),
        ({}, None),
    ],
)
async def test_what_the_kubeconfig_says_is_sent(
    server: ApiServer, tmp_path: Path, user: dict[str, Any], authorization: str | None
) -> None:
    server.answer(says(JOB))
    await (await connect(kubeconfig=kubeconfig(tmp_path / "config", server.url, user=user))).get(JOBS, "a")
    assert sent(server) == [authorization]


async def test_a_user_can_act_as_another(server: ApiServer, tmp_path: Path) -> None:
    user = {"token": "secret", "as": "alice"}
    server.answer(says(JOB))
    await (await connect(kubeconfig=kubeconfig(tmp_path / "config", server.url, user=user))).get(JOBS, "a")
    assert sent(server, "Impersonate-User") == ["alice"]


@pytest.mark.usefixtures("impatient")
async def test_a_token_in_a_file_is_read_again(server: ApiServer, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("one")
    api = await connect(kubeconfig=kubeconfig(tmp_path / "config", server.url, user={"tokenFile": str(file)}))
    server.answer(says(JOB))
    await api.get(JOBS, "a")
    file.write_text("two")
    await api.get(JOBS, "a")
    assert sent(server) == ["Bearer one", "Bearer two"]


@pytest.mark.usefixtures("impatient")
async def test_a_token_that_cannot_be_renewed_is_used_as_long_as_it_is_good(
    server: ApiServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "token"
    file.write_text("one")
    api = await connect(kubeconfig=kubeconfig(tmp_path / "config", server.url, user={"tokenFile": str(file)}))
    server.answer(says(JOB))
    file.unlink()
    await api.get(JOBS, "a")
    assert sent(server) == ["Bearer one"]
    assert "the credentials could not be renewed" in caplog.text


@pytest.mark.usefixtures("impatient")
async def test_a_program_is_asked_once_if_its_token_does_not_expire(
    server: ApiServer, tmp_path: Path, program: Program
) -> None:
    api = await connect(kubeconfig=kubeconfig(tmp_path / "config", server.url, user=program.user))
    server.answer(says(JOB))
    for _ in range(3):
        await api.get(JOBS, "a")
    assert sent(server) == ["Bearer token-1"] * 3


@pytest.mark.usefixtures("impatient")
async def test_a_program_is_asked_again_when_its_token_expires(
    server: ApiServer, tmp_path: Path, program: Program
) -> None:
    soon = (datetime.now(UTC) + timedelta(seconds=30)).isoformat()
    program.status(token="token-{count}", expirationTimestamp=soon)
    api = await connect(kubeconfig=kubeconfig(tmp_path / "config", server.url, user=program.user))
    server.answer(says(JOB))
    for _ in range(2):
        await api.get(JOBS, "a")
    assert sent(server) == ["Bearer token-2", "Bearer token-3"], "five minutes before the end is late enough"


async def test_a_request_whose_token_is_refused_is_sent_again_with_a_new_one(
    server: ApiServer, tmp_path: Path, program: Program
) -> None:
    api = await connect(kubeconfig=kubeconfig(tmp_path / "config", server.url, user=program.user))
    server.answer(fails(401, "Unauthorized"), says(JOB))
    assert await api.create(JOBS, JOB) == JOB
    assert await api.get(JOBS, "a") == JOB
    assert sent(server) == ["Bearer token-1", "Bearer token-2", "Bearer token-2"]


async def test_who_logs_in_again_while_a_program_runs_need_not_start_it_again(
    server: ApiServer, tmp_path: Path
) -> None:
    api = await connect(kubeconfig=kubeconfig(tmp_path / "config", server.url, user={"token": "one"}))
    server.answer(fails(401, "Unauthorized"), says(JOB))
    kubeconfig(tmp_path / "config", server.url, user={"token": "two"})
    assert await api.get(JOBS, "a") == JOB
    assert sent(server) == ["Bearer one", "Bearer two"]


async def test_a_kubeconfig_that_became_unusable_is_named_when_its_token_has_expired(
    server: ApiServer, tmp_path: Path
) -> None:
    file = kubeconfig(tmp_path / "config", server.url, user={"token": "one"})
    api = await connect(kubeconfig=file)
    server.answer(fails(401, "Unauthorized"))
    for write in (lambda: kubeconfig(file, server.url, context="elsewhere"), lambda: file.write_text("{"), file.unlink):
        write()
        with pytest.raises(errors.Unauthorized, match=f"context 'here' of kubeconfig {file}"):
            await api.get(JOBS, "a")


async def test_of_many_requests_that_are_refused_at_once_only_one_asks_for_a_new_token(
    server: ApiServer, tmp_path: Path, program: Program
) -> None:
    api = await connect(kubeconfig=kubeconfig(tmp_path / "config", server.url, user=program.user))
    server.answer(*[fails(401, "Unauthorized")] * 10, says(JOB))
    assert await asyncio.gather(*(api.get(JOBS, "a") for _ in range(10))) == [JOB] * 10
    assert sent(server) == ["Bearer token-1"] * 10 + ["Bearer token-2"] * 10


async def test_a_new_token_that_is_refused_as_well_is_the_end(
    server: ApiServer, tmp_path: Path, program: Program
) -> None:
    api = await connect(kubeconfig=kubeconfig(tmp_path / "config", server.url, user=program.user))
    server.answer(fails(401, "Unauthorized", "Unauthorized"))
    with pytest.raises(errors.Unauthorized, match="Unauthorized"):
        await api.get(JOBS, "a")
    assert sent(server) == ["Bearer token-1", "Bearer token-2"]


async def test_a_token_that_stays_the_same_is_not_sent_again(server: ApiServer, tmp_path: Path) -> None:
    api = await connect(kubeconfig=kubeconfig(tmp_path / "config", server.url))
    server.answer(fails(401, "Unauthorized", "Unauthorized"))
    with pytest.raises(errors.Unauthorized):
        await api.get(JOBS, "a")
    assert len(server.received) == 1


async def test_a_program_may_hand_out_certificates(
    server: ApiServer, tmp_path: Path, certificate: Certificate, program: Program
) -> None:
    program.status(clientCertificateData=certificate.file.read_text(), clientKeyData=certificate.key.read_text())
    server.answer(says(JOB))
    async with certificate.serving(server) as url:
        authority = {"certificate-authority": str(certificate.file)}
        api = await connect(kubeconfig=kubeconfig(tmp_path / "config", url, user=program.user, cluster=authority))
        assert await api.get(JOBS, "a") == JOB
        await api.close()


async def test_a_program_that_fails_later_is_named_in_the_refusal(
    server: ApiServer, tmp_path: Path, program: Program
) -> None:
    api = await connect(kubeconfig=kubeconfig(tmp_path / "config", server.url, user=program.user))
    program.fail("log in first")
    server.answer(fails(401, "Unauthorized"))
    with pytest.raises(errors.Unauthorized, match=r"hand-out gave no credentials: .*log in first"):
        await api.get(JOBS, "a")


async def test_a_program_that_fails_is_named_with_what_it_said(
    tmp_path: Path, program: Program, caplog: pytest.LogCaptureFixture
) -> None:
    program.fail("log in first")
    with pytest.raises(ConnectionSettingsError) as refused:
        await connect(kubeconfig=kubeconfig(tmp_path / "config", user=program.user))
    assert str(refused.value) == (
        f"context 'here' of kubeconfig {tmp_path / 'config'}: the program {program.file} gave no credentials: "
        "exec: process returned 1. b'log in first' (Install it first.)"
    )
    assert caplog.text == ""


async def test_a_program_that_is_not_installed_is_named(tmp_path: Path, program: Program) -> None:
    program.file.unlink()
    with pytest.raises(ConnectionSettingsError, match=r"hand-out gave no credentials: .*No such file"):
        await connect(kubeconfig=kubeconfig(tmp_path / "config", user=program.user))
