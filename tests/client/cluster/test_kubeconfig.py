from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from quantum_runtime.cluster import kubeconfig
from quantum_runtime.cluster.errors import ConnectionSettingsError

from .conftest import kubeconfig as write

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user without any settings."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("KUBECONFIG", raising=False)
    (tmp_path / "home" / ".kube").mkdir(parents=True)
    return tmp_path / "home"


def test_without_settings_there_is_no_file() -> None:
    assert kubeconfig.files(None) == ()


def test_the_file_that_is_given_counts_before_the_environments_and_the_users(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = write(home / ".kube" / "config")
    assert kubeconfig.files(None) == (usual,)
    one, two = write(tmp_path / "one"), write(tmp_path / "two")
    monkeypatch.setenv("KUBECONFIG", f"{one}:{tmp_path / 'missing'}::{two}")
    assert kubeconfig.files(None) == (one, two)
    assert kubeconfig.files(two) == (two,)
    assert kubeconfig.files("~/.kube/config") == (usual,)


def test_a_file_that_is_asked_for_has_to_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConnectionSettingsError, match=f"there is no kubeconfig {tmp_path / 'missing'}$"):
        kubeconfig.files(tmp_path / "missing")
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "missing"))
    with pytest.raises(ConnectionSettingsError, match="missing, which KUBECONFIG names"):
        kubeconfig.files(None)


def test_the_current_context_is_chosen_unless_another_is_named(tmp_path: Path) -> None:
    one = write(tmp_path / "one", namespace="team", context="first", user={"token": "1"})
    two = write(tmp_path / "two", context="second", user={"token": "2"})
    chosen = kubeconfig.choose((one, two), None)
    assert (chosen.context, chosen.namespace, chosen.user) == ("first", "team", {"token": "1"})
    chosen = kubeconfig.choose((one, two), "second")
    assert (chosen.context, chosen.namespace, chosen.user) == ("second", "", {"token": "2"})
    assert kubeconfig.choose((two, one), None).context == "second", "of two current contexts the first file's counts"


def test_what_is_said_twice_counts_as_the_first_file_says_it(tmp_path: Path) -> None:
    one = write(tmp_path / "one", namespace="team", user={"token": "1"})
    two = write(tmp_path / "two", namespace="other", user={"token": "2"})
    chosen = kubeconfig.choose((one, two), None)
    assert (chosen.namespace, chosen.user) == ("team", {"token": "1"})


def test_a_context_that_is_not_there_is_answered_with_those_that_are(tmp_path: Path) -> None:
    one, two = write(tmp_path / "one", context="first"), write(tmp_path / "two", context="second")
    with pytest.raises(ConnectionSettingsError) as refused:
        kubeconfig.choose((one, two), "third")
    assert str(refused.value) == f"kubeconfig {one} and {two} has no context 'third'; it has: first, second"


def change(file: Path, **changes: Any) -> Path:
    document = yaml.safe_load(file.read_text()) | changes
    file.write_text(yaml.safe_dump({key: value for key, value in document.items() if value is not None}))
    return file


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"current-context": None}, "has no current context; name one, it has: here"),
        ({"current-context": "", "contexts": None}, "has no current context; name one, it has none"),
        ({"contexts": []}, "has no context 'here'; it has none"),
        ({"clusters": []}, "context 'here' of kubeconfig .*: there is no cluster 'here'"),
        ({"users": []}, "context 'here' of kubeconfig .*: there is no user 'here'"),
        ({"clusters": [{"name": "here"}]}, "its cluster has no server"),
        ({"contexts": [{"name": "here"}]}, "there is no cluster None"),
    ],
)
def test_what_is_missing_is_named(tmp_path: Path, changes: dict[str, Any], why: str) -> None:
    with pytest.raises(ConnectionSettingsError, match=why):
        kubeconfig.choose((change(write(tmp_path / "config"), **changes),), None)


@pytest.mark.parametrize(
    ("text", "why"),
    [("", "is not a YAML object"), ("- a", "is not a YAML object"), ("a: [", "cannot be read"), ("\0", "cannot be")],
)
def test_a_file_that_is_something_else_is_named(tmp_path: Path, text: str, why: str) -> None:
    file = tmp_path / "config"
    file.write_text(text)
    with pytest.raises(ConnectionSettingsError, match=f"{re.escape(str(file))}.*{why}"):
        kubeconfig.choose((file,), None)


def test_what_kubectl_would_do_and_we_cannot_is_refused(tmp_path: Path) -> None:
    file = write(tmp_path / "config", cluster={"proxy-url": "socks5://proxy:1080"})
    with pytest.raises(ConnectionSettingsError, match="proxy-url is socks5://proxy:1080"):
        kubeconfig.choose((file,), None)
    file = write(tmp_path / "config", user={"token": "1", "as": "alice", "as-groups": ["admins"]})
    with pytest.raises(ConnectionSettingsError, match="its user has as-groups"):
        kubeconfig.choose((file,), None)
