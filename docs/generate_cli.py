"""Write docs/cli.md from the commands; with ``--check`` only say whether it is up to date."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

import click
from generated import ROOT, write_or_check
from quantum_runtime import cli
from quantum_runtime.cli import exits, session

if TYPE_CHECKING:
    from collections.abc import Iterator

TARGET = ROOT / "docs" / "cli.md"
PROGRAM = "quantum-runtime"

INTRODUCTION = """\
# The command line

Made from the commands by `make docs`; do not edit. `quantum-runtime COMMAND --help` says the same.

`quantum-runtime` and `kubectl runtime` are one program: kubectl finds `kubectl-runtime` where both are installed. What
it does on a cluster it does with the rights of the kubeconfig's user, on the custom resources alone.
"""

CLUSTER = """\
## Choosing a cluster

Commands that ask a cluster take these options, and so does the program itself, before the command.
"""

COMPLETION = """\
## Completion

`quantum-runtime completion bash` (or `zsh`, `fish`) prints a script that completes commands, options, and names of
programs, jobs and backends, under both names of the program. `kubectl runtime` needs none where kubectl's own
completion is set up: kubectl asks the program `kubectl_complete-runtime`, which is installed with the others.
"""

CODES = """\
## Exit codes

| Code | Meaning | Reasons of jobs, and of runs on this machine |
|---|---|---|
"""


def page() -> str:
    """Return the whole page."""
    context = click.Context(cli.main, info_name=PROGRAM)
    parts = [INTRODUCTION, contents(), CLUSTER, *options(cli.main, context, of_cluster=True)]
    for section in dict.fromkeys(cli.COMMANDS.values()):
        parts.append(f"## {section}\n")
        for name in (name for name in cli.COMMANDS if cli.COMMANDS[name] == section):
            command = cli.main.get_command(context, name)
            assert command is not None
            parts += described(name, command, context)
    parts.append(COMPLETION)
    parts.append(CODES + "".join(code_row(code) for code in exits.MEANING))
    return "\n".join(parts)


def contents() -> str:
    """Return the list of commands."""
    lines = []
    for section in dict.fromkeys(cli.COMMANDS.values()):
        names = [name for name in cli.COMMANDS if cli.COMMANDS[name] == section]
        lines.append(f"- {section}: " + ", ".join(f"[{name}](#{anchor(name)})" for name in names))
    lines.append("- [Completion](#completion), [exit codes](#exit-codes)")
    return "\n".join(lines) + "\n"


def anchor(name: str) -> str:
    """Return how GitHub calls the section of a command."""
    return f"{PROGRAM}-{name}"


def described(name: str, command: click.Command, parent: click.Context) -> Iterator[str]:
    """Yield the section about one command."""
    context = click.Context(command, info_name=name, parent=parent)
    yield f"### {PROGRAM} {name}\n"
    yield f"```\n{context.command_path} {' '.join(command.collect_usage_pieces(context))}\n```\n"
    for paragraph in inspect.cleandoc(command.help or "").split("\n\n"):
        yield verbatim(paragraph) if paragraph.startswith("\b") else " ".join(paragraph.split()) + "\n"
    yield from options(command, context, of_cluster=False)
    if any(session.chooses_cluster(parameter) for parameter in command.params):
        yield "And the options that [choose a cluster](#choosing-a-cluster).\n"


def verbatim(paragraph: str) -> str:
    """Return a paragraph that stands as it was written: a title, and lines below it."""
    title, *lines = paragraph.removeprefix("\b\n").split("\n")
    return f"{title}\n\n```sh\n" + "\n".join(line.removeprefix("  ") for line in lines) + "\n```\n"


def options(command: click.Command, context: click.Context, *, of_cluster: bool) -> Iterator[str]:
    """Yield the table of a command's options, of those that choose a cluster or of the others."""
    found = [
        parameter
        for parameter in command.params
        if isinstance(parameter, click.Option) and session.chooses_cluster(parameter) is of_cluster
    ]
    if not found:
        return
    yield "| Option | |\n|---|---|"
    for option in found:
        record = option.get_help_record(context)
        assert record is not None
        yield f"| `{cell(record[0])}` | {cell(record[1])} |"
    yield ""


def code_row(code: int) -> str:
    """Return an exit code's row."""
    reasons = ", ".join(f"`{reason}`" for reason in exits.reasons(code))
    return f"| {code} | {cell(exits.MEANING[code])} | {reasons} |\n"


def cell(text: str) -> str:
    """Return the text fit for a table's cell."""
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    write_or_check(TARGET, page())
