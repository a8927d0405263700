from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import pytest
from client.presentation.states import after, at, running, state
from quantum_runtime import rendering
from quantum_runtime.service.backend import RuntimeBackend
from quantum_runtime.service.program import RuntimeProgram

TAGS = {"div", "b", "span", "table", "thead", "tbody", "tr", "th", "td", "details", "summary", "pre"}
ATTRIBUTES = {"style", "class"}
HOSTILE = """<script>alert("1")</script><img src=x onerror='alert(2)'>&lt;b&gt; "onclick=alert(3)" </td></table>"""


class Page(HTMLParser):
    """What a browser makes of a text: its rows, and everything that could do more than look nice."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.text = ""
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.styles = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.styles += "".join(value or "" for name, value in attrs if name == "style")
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data
        if "td" in self.open or "th" in self.open:
            self.rows[-1][-1] += data

    @property
    def facts(self) -> dict[str, str]:
        return {row[0]: row[1] for row in self.rows if len(row) == 2}


def program(description: str = "Tosses a coin.", *, kind: str = "RuntimeProgram", **more: Any) -> RuntimeProgram:
    spec = {
        "description": description,
        "maxExecutionTimeSeconds": 60,
        "source": {"inline": "def main(backend, user_messenger): ..."},
        "backendRequirements": {"minNumQubits": 2},
        "parameters": {
            "type": "object",
            "properties": {
                "shots": {"type": "integer", "description": description},
                "seed": {"type": ["integer", "null"]},
            },
            "required": ["shots"],
        },
        "returnValues": {"type": "object", "description": "Counts by outcome."},
    }
    ready = {"type": "Ready", "status": "True", "reason": "Accepted", "message": "fine"}
    body = {
        "kind": kind,
        "metadata": {"name": "coin", "creationTimestamp": "2026-05-04T12:00:00Z"},
        "spec": spec,
        "status": {"conditions": [ready]},
    }
    return RuntimeProgram(body | more)


def test_a_running_job_shows_how_it_is_doing_and_what_came_last() -> None:
    view = running(
        spec={"inputs": {"shots": 3}, "backend": "ibmq_montreal", "tags": ["thesis", "lih"]},
        interimResults={"published": 1, "latest": [{"seq": 4, "time": at(after(5)), "value": '{"energy": -1.5}'}]},
    )
    page = Page(rendering.job_html(view, after(15)))
    assert page.text.startswith("Job toss namespace lab")
    assert page.facts == {
        "Status": "● running 12 s, 1 interim result",
        "Program": "coin",
        "Backend": "ibmq_montreal",
        "Created": "2026-05-04 12:00:00 UTC",
        "Started": "2026-05-04 12:00:03 UTC",
        "Tags": "thesis, lih",
        "Inputs": '{"shots": 3}',
        "Latest interim result": '{"energy": -1.5}',
    }


def test_a_failed_job_shows_the_lines_of_its_traceback() -> None:
    traceback = 'File "coin.py", line 4, in main\n    toss()\n'
    failure = {"reason": "ProgramFailed", "message": "NameError: toss", "traceback": traceback}
    page = Page(rendering.job_html(state("Failed", "ProgramFailed", "", failure=failure)))
    assert page.facts["Status"] == "● failed: ProgramFailed: NameError: toss"
    assert page.facts["Traceback"] == f"show{traceback}"


def test_a_program_shows_what_it_takes_and_returns() -> None:
    page = Page(rendering.program_html(program()))
    assert page.text.startswith("Program coin private")
    assert page.facts["Description"] == "Tosses a coin."
    assert page.facts["Time limit"] == "60 s"
    assert ["shots", "required", "integer: Tosses a coin."] in page.rows
    assert ["seed", "", "integer or null"] in page.rows
    assert page.facts["Returns"] == "object: Counts by outcome."
    assert "Not ready" not in page.facts
    assert "Interim results" not in page.facts


def test_a_program_that_cannot_be_run_says_why() -> None:
    condition = {"type": "Ready", "status": "False", "reason": "ProfileNotFound", "message": "there is no profile big"}
    page = Page(rendering.program_html(program(status={"conditions": [condition]})))
    assert page.facts["Not ready"] == "ProfileNotFound: there is no profile big"


def test_programs_are_a_table_with_a_line_for_each() -> None:
    page = Page(rendering.programs_html([program(), program("Public.", kind="ClusterRuntimeProgram")]))
    assert page.rows == [
        ["Program", "Visibility", "Time limit", "Description"],
        ["coin", "private", "60 s", "Tosses a coin."],
        ["coin", "public", "60 s", "Public."],
    ]


def test_jobs_are_a_table_with_a_line_for_each() -> None:
    page = Page(rendering.jobs_html([running(), state(phase="Failed")]))
    assert page.rows[0] == ["Job", "Program", "Status", "Created"]
    assert [row[2] for row in page.rows[1:]] == ["● Running", "● Failed"]


def test_a_backend_shows_what_it_is_made_from() -> None:
    page = Page(rendering.backend_html(RuntimeBackend("five", {"generic": {"numQubits": 5}}, lambda _: 0)))
    assert page.text.startswith("Backend five device model")
    assert page.facts["Qubits"] == "5"
    assert page.facts["Made from"] == '{"generic": {"numQubits": 5}}'


def test_a_service_shows_where_its_jobs_are() -> None:
    assert Page(rendering.service_html("lab")).facts == {"Namespace": "lab"}


def test_a_long_text_is_shortened() -> None:
    shown = Page(rendering.program_html(program("long " * 200))).facts["Description"]
    assert shown.startswith("long long")
    assert shown.endswith("…")
    assert len(shown) == rendering.TEXT_CHARACTERS


def hostile_job() -> str:
    failure = {"reason": "ProgramFailed", "message": HOSTILE, "traceback": HOSTILE}
    view = state(
        "Failed",
        name=HOSTILE,
        spec={"inputs": {HOSTILE: HOSTILE}, "tags": [HOSTILE], "backend": HOSTILE, "programRef": {"name": HOSTILE}},
        failure=failure,
        interimResults={"published": 1, "latest": [{"seq": 1, "time": at(after(1)), "value": HOSTILE}]},
    )
    return rendering.job_html(view, after(15))


def hostile_program() -> RuntimeProgram:
    properties = {HOSTILE: {"type": HOSTILE, "description": HOSTILE}, "n": HOSTILE, "o": {"type": [HOSTILE, 1]}}
    spec = {
        "description": HOSTILE,
        "maxExecutionTimeSeconds": 60,
        "source": {"inline": ""},
        "backendRequirements": {HOSTILE: HOSTILE},
        "parameters": {"properties": properties, "description": HOSTILE, "required": [HOSTILE, 3]},
        "returnValues": {"type": {HOSTILE: 1}, "description": {"a": HOSTILE}},
        "interimResults": {"properties": HOSTILE, "description": HOSTILE},
    }
    condition = {"type": "Ready", "status": "False", "reason": HOSTILE, "message": HOSTILE}
    return program(metadata={"name": HOSTILE}, spec=spec, status={"conditions": [condition]})


@pytest.mark.parametrize(
    "text",
    [
        hostile_job(),
        rendering.program_html(hostile_program()),
        rendering.programs_html([hostile_program()]),
        rendering.backend_html(RuntimeBackend(HOSTILE, {"custom": {"factory": HOSTILE}}, lambda _: 0)),
        rendering.service_html(HOSTILE),
    ],
    ids=["job", "program", "programs", "backend", "service"],
)
def test_what_others_wrote_stays_text_and_nothing_is_loaded_or_executed(text: str) -> None:
    page = Page(text)
    assert page.open == []
    assert page.tags <= TAGS
    assert page.attributes <= ATTRIBUTES
    assert "url" not in page.styles
    assert "<script>alert(" in page.text, "nothing was left out either"


def test_a_formula_in_a_description_is_not_typeset() -> None:
    assert 'class="tex2jax_ignore mathjax_ignore"' in rendering.program_html(program("costs $5 or $6"))
