"""What a shell offers for names: asked of the cluster, within a moment, and nothing at all if that does not work."""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from click.shell_completion import CompletionItem

from quantum_runtime.cli import arguments, session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import click

    from quantum_runtime.service.service import RuntimeService

PATIENCE_SECONDS = 3.0
"""Somebody has pressed a key and waits. Loading the client takes up to a second of it."""

MOST = 100
"""Candidates that are offered; of jobs the newest."""


def jobs(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer names of jobs, the newest first."""
    return _offer(context, _jobs, incomplete)


def unfinished_jobs(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer names of jobs that have not ended."""
    return _offer(context, lambda service: _jobs(service, pending=True), incomplete)


def programs(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer names of programs."""
    return _offer(context, _programs, incomplete)


def programs_or_paths(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer names of programs, and what is on this machine to whoever begins with a path."""
    if arguments.is_path(incomplete) or incomplete.startswith("~"):
        return [CompletionItem(incomplete, type="file")]
    return programs(context, parameter, incomplete) or [CompletionItem(incomplete, type="file")]


def backends(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer names of backends."""
    return _offer(context, lambda service: [str(backend.name) for backend in service.backends()], incomplete)


def objects(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer what can be deleted: names of jobs, and names of both kinds behind ``job/`` and ``program/``."""
    kind, slash, _ = incomplete.partition("/")
    if not slash:
        return [CompletionItem(word) for word in ("program/",) if word.startswith(incomplete)] + _offer(
            context, _jobs, incomplete
        )
    ask = _programs if kind == "program" else _jobs
    return _offer(context, lambda service: [f"{kind}/{name}" for name in ask(service)], incomplete)


def _jobs(service: RuntimeService, *, pending: bool | None = None) -> list[str]:
    return service.job_names(pending=pending)


def _programs(service: RuntimeService) -> list[str]:
    return [program.program_id for program in service.programs(limit=None)]


def _offer(
    context: click.Context, ask: Callable[[RuntimeService], Iterable[str]], incomplete: str
) -> list[CompletionItem]:
    chosen = session.of(context)
    settings = session.settings(context)
    found: list[str] = []

    def answer() -> None:
        try:
            found.extend(ask(chosen.connect(**settings)))
        except Exception:  # whatever it is, this is not the moment to tell
            logging.getLogger(__name__).debug("no completion", exc_info=True)

    with _silence():
        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        thread.join(PATIENCE_SECONDS)
    return [CompletionItem(name) for name in tuple(found) if name.startswith(incomplete)][:MOST]


@contextmanager
def _silence() -> Iterator[None]:
    before = logging.root.manager.disable
    logging.disable()
    try:
        yield
    finally:
        logging.disable(before)
