"""Which cluster a command speaks to: the options kubectl has, given before the command or after it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import click

from quantum_runtime.exceptions import IBMApiError

if TYPE_CHECKING:
    from collections.abc import Callable

    from quantum_runtime.service.service import RuntimeService

F = TypeVar("F", bound="Callable[..., Any]")

PATIENCE_SECONDS = 5.0
"""How long a command tries to get a first answer. Requests after that are repeated for up to a minute, as always."""

_SETTINGS = "quantum_runtime.cluster_settings"


_NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]{,61}[a-z0-9])?")


def _connect(**settings: Any) -> RuntimeService:
    from quantum_runtime.service.service import RuntimeService

    return RuntimeService(**settings)


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class Session:
    """What commands get from outside; click's context object. Tests put their own cluster and clock here."""

    connect: Callable[..., RuntimeService] = field(default=_connect)
    """Takes ``namespace``, ``context`` and ``kubeconfig``, as far as they are given."""
    now: Callable[[], datetime] = field(default=_utc_now)


def cluster_options(command: F) -> F:
    """Add the options that choose cluster and namespace. The command does not see them: `service` does."""
    for names, help_text in reversed(_OPTIONS):
        command = click.option(*names, metavar=names[-1][2:].upper(), help=help_text, **_KEPT)(command)
    return command


def settings(context: click.Context | None = None) -> dict[str, str]:
    """Return the options that were given, by name."""
    found: dict[str, str] = (context or click.get_current_context()).meta.get(_SETTINGS, {})
    return found


def service(**defaults: str) -> RuntimeService:
    """Return the cluster the user chose.

    Args:
        **defaults: Settings for where the user has given none.

    Raises:
        IBMApiError: there is none, or it does not answer.
    """
    context = click.get_current_context()
    chosen = of(context).connect(**(defaults | settings(context)))
    try:
        chosen.reach(PATIENCE_SECONDS)
    except IBMApiError as error:
        raise IBMApiError(f"{error}; --context and --kubeconfig choose another cluster") from None
    return chosen


def clock() -> Callable[[], datetime]:
    """Return what tells the time."""
    return of(click.get_current_context()).now


def now() -> datetime:
    """Return the time."""
    return clock()()


def refuse_settings_for(command: click.Command, context: click.Context) -> None:
    """Refuse a command that asks no cluster, if one was chosen before it.

    Raises:
        click.UsageError: it is one.
    """
    given = settings(context)
    if given and not any(map(chooses_cluster, command.params)):
        raise click.UsageError(f"--{next(iter(given))} is for commands that ask a cluster; {command.name} asks none")


def chooses_cluster(parameter: click.Parameter) -> bool:
    """Return whether an option is one of `cluster_options`."""
    return parameter.callback is _keep


def same_cluster(context: click.Context | None = None) -> str:
    """Return the options that make another command speak to the same cluster, with a space before; to be shown."""
    import shlex

    return "".join(f" --{name} {shlex.quote(value)}" for name, value in settings(context).items())


def of(context: click.Context) -> Session:
    """Return what the commands of this call get from outside."""
    given = context.find_root().obj
    if given is None:
        return Session()
    return given if isinstance(given, Session) else Session(connect=lambda **_: given)


def _keep(context: click.Context, parameter: click.Parameter, value: str | None) -> None:
    if parameter.name == "namespace" and value and not _NAMESPACE.fullmatch(value):
        raise click.BadParameter(f"{value!r} cannot be the name of a namespace", context, parameter)
    if value is not None and parameter.name:
        context.meta.setdefault(_SETTINGS, {})[parameter.name] = value


_KEPT: dict[str, Any] = {"callback": _keep, "expose_value": False}

_OPTIONS = (
    (("-n", "--namespace"), "Namespace; the default is the context's."),
    (("--context",), "Context of the kubeconfig; the default is the current one."),
    (("--kubeconfig",), "File to use instead of $KUBECONFIG and ~/.kube/config."),
)
