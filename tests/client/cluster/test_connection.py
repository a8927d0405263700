from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from quantum_runtime.cluster import connection
from quantum_runtime.cluster.api import JOBS
from quantum_runtime.cluster.connection import connect
from quantum_runtime.cluster.errors import ApiError, ConnectionSettingsError, Unauthorized, Unavailable
from support.api_server import fails, says

from .conftest import kubeconfig

if TYPE_CHECKING:
    from pathlib import Path

    from support.api_server import ApiServer

    from .conftest import Certificate


@pytest.fixture(autouse=True)
def nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user without any settings, outside of any cluster."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(connection, "SERVICE_ACCOUNT", tmp_path / "service-account")


@pytest.fixture
def pod(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, certificate: Certificate) -> Path:
    """Where a pod of namespace "of-the-pod" finds its service account."""
    folder = tmp_path / "service-account"
    folder.mkdir()
    (folder / "token").write_text("of-the-pod")
    (folder / "namespace").write_text("of-the-pod\n")
    (folder / "ca.crt").write_text(certificate.file.read_text())
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    return folder


async def test_without_any_settings_there_is_no_cluster() -> None:
    with pytest.raises(ConnectionSettingsError, match="there is no cluster to speak to"):
        await connect()


async def test_the_namespace_is_the_one_given_or_the_contexts_or_default(tmp_path: Path) -> None:
    of_a_team, of_nobody = kubeconfig(tmp_path / "one", namespace="team"), kubeconfig(tmp_path / "two")
    assert (await connect("mine", kubeconfig=of_a_team)).namespace == "mine"
    assert (await connect(kubeconfig=of_a_team)).namespace == "team"
    assert (await connect(kubeconfig=of_nobody)).namespace == "default"


async def test_in_a_pod_without_a_kubeconfig_the_cluster_is_the_pods(pod: Path) -> None:
    assert (await connect()).namespace == "of-the-pod"
    assert (await connect("mine")).namespace == "mine"
    (pod / "namespace").unlink()
    assert (await connect()).namespace == "default"


async def test_a_kubeconfig_counts_before_the_pod_but_its_namespace_may_be_the_pods(pod: Path, tmp_path: Path) -> None:
    assert (await connect(kubeconfig=kubeconfig(tmp_path / "one"))).namespace == "of-the-pod"
    assert (await connect(kubeconfig=kubeconfig(tmp_path / "one", namespace="team"))).namespace == "team"


async def test_a_context_cannot_be_named_where_there_is_no_kubeconfig(pod: Path) -> None:
    with pytest.raises(ConnectionSettingsError, match="no context 'mine'; this runs in a pod"):
        await connect(context="mine")


async def test_a_service_account_that_is_not_mounted_is_named(pod: Path) -> None:
    (pod / "token").unlink()
    with pytest.raises(ConnectionSettingsError, match="service account cannot be used: Service token file does not"):
        await connect()


async def test_the_environments_kubeconfig_is_used(
    server: ApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig(tmp_path / "one", server.url, namespace="team")))
    server.answer(says({"metadata": {}}))
    await (await connect()).get(JOBS, "a")
    (received,) = server.received
    assert received.path == "/apis/quantumruntime.dev/v1alpha1/namespaces/team/runtimejobs/a"


async def test_a_server_may_live_below_a_path(server: ApiServer, tmp_path: Path) -> None:
    server.answer(says({"metadata": {}}))
    api = await connect("team", kubeconfig=kubeconfig(tmp_path / "one", f"{server.url}/clusters/c-1/"))
    await api.get(JOBS, "a")
    (received,) = server.received
    assert received.path == "/clusters/c-1/apis/quantumruntime.dev/v1alpha1/namespaces/team/runtimejobs/a"


async def test_certificates_that_are_none_are_refused_before_the_first_request(tmp_path: Path) -> None:
    file = tmp_path / "ca.crt"
    file.write_text("this is no certificate")
    for broken in (file, tmp_path / "missing"):
        config = kubeconfig(tmp_path / "one", cluster={"certificate-authority": str(broken)})
        with pytest.raises(ConnectionSettingsError, match=r"context 'here' of kubeconfig .*one: "):
            await connect(kubeconfig=config)


async def test_a_server_is_believed_if_its_certificate_is_the_clusters(
    server: ApiServer, tmp_path: Path, certificate: Certificate
) -> None:
    server.answer(says({"metadata": {}}))
    async with certificate.serving(server) as url:
        trusting = kubeconfig(tmp_path / "one", url, cluster={"certificate-authority": str(certificate.file)})
        await (await connect(kubeconfig=trusting)).get(JOBS, "a")
        careless = kubeconfig(tmp_path / "two", url, cluster={"insecure-skip-tls-verify": True})
        await (await connect(kubeconfig=careless)).get(JOBS, "a")
        suspicious = await connect(kubeconfig=kubeconfig(tmp_path / "three", url))
        with pytest.raises(ApiError, match="the API server's certificate is not to be trusted") as refused:
            await suspicious.get(JOBS, "a")
        assert not isinstance(refused.value, Unavailable), "that would be tried again, in vain"
    assert len(server.received) == 2


async def test_the_kubeconfig_is_left_as_it_is(server: ApiServer, tmp_path: Path) -> None:
    file = kubeconfig(tmp_path / "one", server.url)
    before = file.read_text(), file.stat().st_mtime_ns
    server.answer(fails(401, "Unauthorized"))
    api = await connect(kubeconfig=file)
    with pytest.raises(Unauthorized):
        await api.get(JOBS, "a")
    assert (file.read_text(), file.stat().st_mtime_ns) == before
