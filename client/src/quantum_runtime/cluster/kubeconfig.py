"""Chooses a context of the kubeconfigs there are, with messages that name the file and what else could be chosen.

What a context's user needs to log in is for `login`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from quantum_runtime.cluster.errors import ConnectionSettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Chosen:
    """One context."""

    files: tuple[Path, ...]
    """Where it was found: what is said twice counts as the first of these says it."""
    context: str
    namespace: str
    """The context's, or empty."""
    user: dict[str, Any]

    def unusable(self, why: object) -> ConnectionSettingsError:
        """Return the error to raise if this context turns out to be unusable."""
        return ConnectionSettingsError(f"context {self.context!r} of kubeconfig {_named(self.files)}: {why}")


def files(given: str | Path | None) -> tuple[Path, ...]:
    """Return the kubeconfigs to read: the one given, those of the environment, the user's, or none.

    Raises:
        ConnectionSettingsError: what was asked for does not exist.
    """
    if given is not None:
        file = Path(given).expanduser()
        if not file.is_file():
            raise ConnectionSettingsError(f"there is no kubeconfig {file}")
        return (file,)
    if named := os.environ.get("KUBECONFIG"):
        there = tuple(file for name in named.split(os.pathsep) if name and (file := Path(name).expanduser()).is_file())
        if not there:
            raise ConnectionSettingsError(f"there is no kubeconfig {named}, which KUBECONFIG names")
        return there
    usual = Path("~/.kube/config").expanduser()
    return (usual,) if usual.is_file() else ()


def choose(kubeconfigs: tuple[Path, ...], context: str | None) -> Chosen:
    """Return the context of this name, or the current one.

    Raises:
        ConnectionSettingsError: there is none, or it cannot be used.
    """
    documents = [_read(file) for file in kubeconfigs]
    contexts = _entries(documents, "contexts", "context")
    where = f"kubeconfig {_named(kubeconfigs)}"
    there_are = f"it has: {', '.join(sorted(contexts))}" if contexts else "it has none"
    if context is None:
        context = next((document["current-context"] for document in documents if document.get("current-context")), None)
        if context is None:
            raise ConnectionSettingsError(f"{where} has no current context; name one, {there_are}")
    if context not in contexts:
        raise ConnectionSettingsError(f"{where} has no context {context!r}; {there_are}")
    means = contexts[context]
    clusters, users = _entries(documents, "clusters", "cluster"), _entries(documents, "users", "user")
    its_user = means.get("user") or ""
    chosen = Chosen(kubeconfigs, context, str(means.get("namespace") or ""), users.get(its_user, {}))
    if means.get("cluster") not in clusters:
        raise chosen.unusable(f"there is no cluster {means.get('cluster')!r}")
    if its_user and its_user not in users:
        raise chosen.unusable(f"there is no user {its_user!r}")
    for why in _beyond_us(clusters[means["cluster"]], chosen.user):
        raise chosen.unusable(why)
    return chosen


def _read(file: Path) -> dict[str, Any]:
    try:
        document = yaml.safe_load(file.read_text())
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise ConnectionSettingsError(f"kubeconfig {file} cannot be read: {error}") from error
    if not isinstance(document, dict):
        raise ConnectionSettingsError(f"{file} is not a kubeconfig: it is not a YAML object")
    return document


def _entries(documents: list[dict[str, Any]], plural: str, singular: str) -> dict[str, dict[str, Any]]:
    """Return the entries of all files' lists by name: that of the earliest file counts."""
    found: dict[str, dict[str, Any]] = {}
    for document in documents:
        for entry in document.get(plural) or ():
            if isinstance(entry, dict) and "name" in entry:
                found.setdefault(entry["name"], entry.get(singular) or {})
    return found


def _beyond_us(cluster: dict[str, Any], user: dict[str, Any]) -> Iterator[str]:
    """Yield what the official client would leave out without a word, and then do something else than kubectl."""
    if not cluster.get("server"):
        yield "its cluster has no server"
    proxy = str(cluster.get("proxy-url") or "http://")
    if not proxy.startswith(("http://", "https://")):
        yield f"its proxy-url is {proxy}, but only proxies with http:// or https:// can be used"
    for unknown in ("as-groups", "as-user-extra"):
        if user.get(unknown):
            yield f"its user has {unknown}, which cannot be used; of impersonation, only as and as-uid can"


def _named(kubeconfigs: tuple[Path, ...]) -> str:
    return " and ".join(map(str, kubeconfigs))
