"""Jobs, programs, backends and services as small HTML tables, for notebooks.

What they are about was written by anyone: programs' authors, programs themselves, other users. All of it is escaped
here, at the one place where text becomes HTML. Colours and fonts are the notebook's own, in its light and dark themes.
"""

from __future__ import annotations

import html
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from quantum_runtime import progress
from quantum_runtime.service import parameters

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from quantum_runtime.service.backend import AsyncRuntimeBackend, RuntimeBackend
    from quantum_runtime.service.program import RuntimeProgram
    from quantum_runtime.service.view import JobView

TEXT_CHARACTERS = 240
"""Longest text of a cell: a table is for looking at, the whole is in the object's attributes."""

_COLOURS = {
    "Queued": "#c98a00",
    "Running": "#3b82d6",
    "Completed": "#2e9e5b",
    "Failed": "#d64545",
    "Cancelled": "#8a8a8a",
}
"""Readable on white as on black."""

_CELL = "text-align:left;vertical-align:top"
_NAME = f"{_CELL};white-space:nowrap"
_TEXT = f"{_CELL};white-space:normal;overflow-wrap:anywhere"


class _Html(str):
    """HTML made here; any other text is escaped."""

    __slots__ = ()


def job_html(view: JobView, now: datetime | None = None) -> str:
    """Return a job as a table: how it is doing, of what, with what.

    Args:
        view: The job.
        now: The time, aware of its zone; by default the present.
    """
    state = progress.describe(view, now or datetime.now(UTC))
    rows: list[tuple[str, str]] = [
        ("Status", _status(view, state)),
        ("Program", _program(view)),
        ("Backend", view.backend or "the cluster's default"),
        ("Created", _moment(view.created)),
        ("Started", _moment(view.started)),
        ("Ended", _moment(view.ended)),
        ("Tags", ", ".join(view.tags)),
        ("Inputs", _json(view.inputs) if view.inputs else ""),
        ("Latest interim result", view.latest[-1].text if view.latest else ""),
        ("Traceback", _folded(view.traceback)),
    ]
    return _box(f"Job {view.name}", f"namespace {view.namespace}", _facts(rows))


def program_html(program: RuntimeProgram) -> str:
    """Return a program as a table: what it does, what it takes, what it returns."""
    rows: list[tuple[str, str]] = [
        ("Name", program.name if program.name != program.program_id else ""),
        ("Description", program.description),
        ("Time limit", f"{program.max_execution_time} s"),
        ("Needs", _json(program.backend_requirements) if program.backend_requirements else ""),
        ("Created", program.creation_date),
        ("Updated", program.update_date if program.update_date != program.creation_date else ""),
        ("Not ready", f"{program.reason}: {program.message}" if program.reason and not program.ready else ""),
        ("Input parameters", _schema(program.parameters().metadata)),
        ("Interim results", _schema(program.interim_results)),
        ("Returns", _schema(program.return_values)),
    ]
    return _box(f"Program {program.program_id}", _visibility(program), _facts(rows))


def programs_html(programs: Iterable[RuntimeProgram]) -> str:
    """Return programs as a table with a line for each."""
    rows = [
        (program.program_id, _visibility(program), f"{program.max_execution_time} s", program.description)
        for program in programs
    ]
    return _box("Programs", "", _table(rows, head=("Program", "Visibility", "Time limit", "Description")))


def jobs_html(views: Iterable[JobView]) -> str:
    """Return jobs as a table with a line for each."""
    rows = [(view.name, _program(view), _status(view, view.phase), _moment(view.created)) for view in views]
    return _box("Jobs", "", _table(rows, head=("Job", "Program", "Status", "Created")))


def backend_html(backend: RuntimeBackend | AsyncRuntimeBackend) -> str:
    """Return a backend as a table."""
    qubits = backend.num_qubits
    rows = [
        ("Description", backend.description),
        ("Qubits", "known to the runner alone" if qubits is None else str(qubits)),
        ("Made from", _json(backend.spec)),
    ]
    return _box(f"Backend {backend.name}", "simulator" if backend.simulator else "device model", _facts(rows))


def service_html(namespace: str) -> str:
    """Return a service as a table.

    Args:
        namespace: Where its jobs and private programs are.
    """
    return _box("Qiskit Runtime on Kubernetes", "", _facts([("Namespace", namespace)]))


def _box(title: str, remark: str, content: _Html) -> str:
    """Return a heading and what stands below it; what looks like a formula in it stays text."""
    small = f' <span style="opacity:.7">{_escaped(remark)}</span>' if remark else ""
    head = f'<div style="margin-bottom:.3em"><b>{_escaped(title)}</b>{small}</div>'
    return f'<div class="tex2jax_ignore mathjax_ignore">{head}{content}</div>'


def _facts(rows: Iterable[tuple[str, str]]) -> _Html:
    """Return a line for each fact that there is."""
    return _body(f'<th style="{_NAME}">{_escaped(name)}</th>{_texts([text])}' for name, text in rows if text)


def _table(rows: Iterable[Sequence[str]], head: Sequence[str] = ()) -> _Html:
    """Return a line for each row; the last column has the room that the others leave."""
    names = "".join(f'<th style="{_NAME}">{_escaped(name)}</th>' for name in head)
    return _body((_texts(row) for row in rows), f"<thead><tr>{names}</tr></thead>" if names else "")


def _texts(row: Sequence[str]) -> str:
    styles = [_NAME] * (len(row) - 1) + [_TEXT]
    return "".join(f'<td style="{style}">{_escaped(text)}</td>' for style, text in zip(styles, row, strict=True))


def _body(lines: Iterable[str], head: str = "") -> _Html:
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return _Html(f'<table style="margin:0">{head}<tbody>{body}</tbody></table>')


def _schema(schema: Mapping[str, Any]) -> str:
    """Return what a JSON Schema says to a reader: its sentence, and a table of its properties."""
    whole = dict(schema)
    described = parameters.properties(whole)
    if not described:
        return _kind(whole)
    needed = parameters.required(whole)
    rows = []
    for name, about in sorted(described.items()):
        about = about if isinstance(about, dict) else {}
        must = name in needed or about.get("x-required") is True
        rows.append((name, "required" if must else "", _kind(about)))
    return _Html(_escaped(str(whole.get("description", ""))) + _table(rows))


def _kind(about: Mapping[str, Any]) -> str:
    kind = about.get("type", about.get("x-type", ""))
    kind = kind if isinstance(kind, str) else " or ".join(map(str, kind)) if isinstance(kind, list) else str(kind)
    return ": ".join(filter(None, (kind, str(about.get("description", "")))))


def _program(view: JobView) -> str:
    return view.program_name + (" (public)" if view.program_kind == "ClusterRuntimeProgram" else "")


def _visibility(program: RuntimeProgram) -> str:
    return "public" if program.is_public else "private"


def _status(view: JobView, text: str) -> _Html:
    """Return the text behind a dot in the colour of the job's phase."""
    return _Html(f"{_dot(_COLOURS.get(view.phase, '#8a8a8a'))} {_escaped(text)}")


def _moment(moment: datetime | None) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC") if moment else ""


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _dot(colour: str) -> str:
    return f'<span style="color:{colour}">&#9679;</span>'


def _folded(text: str) -> str:
    """Return a text of several lines, to be unfolded."""
    if not text:
        return ""
    return _Html(f'<details><summary>show</summary><pre style="text-align:left">{html.escape(text)}</pre></details>')


def _escaped(text: str) -> str:
    """Return a text as HTML that shows it, shortened to one line of a cell; what is HTML already, as it is."""
    if isinstance(text, _Html):
        return text
    line = progress.one_line(text[: 10 * TEXT_CHARACTERS])
    return html.escape(line if len(line) <= TEXT_CHARACTERS else line[: TEXT_CHARACTERS - 1] + "…")
