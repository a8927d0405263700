"""``quantum-runtime completion``: what a shell needs; and the program kubectl asks to complete ``kubectl runtime``."""

from __future__ import annotations

import sys
from typing import Any

import click
from click.shell_completion import ShellComplete, get_completion_class

NAMES = ("quantum-runtime", "kubectl-runtime")
"""Of one program; kubectl itself completes ``kubectl runtime``, see `main`."""

_ALSO = {
    "bash": "complete -o nosort -F {function} {name}\n",
    "zsh": "compdef {function} {name}\n",
    "fish": 'complete --no-files --command {name} --arguments "({function})"\n',
}
"""How a shell is told to complete one more command with the same function."""

_DEFAULT, _NO_FILES, _ONLY_FOLDERS = 0, 4, 16
"""Cobra's directives, by which kubectl is told what to do besides offering the candidates."""


@click.command(short_help="Print what a shell needs to complete commands, names and options.")
@click.argument("shell", type=click.Choice(tuple(_ALSO)))
def completion(shell: str) -> None:
    """Print the script that makes a shell complete commands, options, and names of programs, jobs and backends.

    `kubectl runtime` needs none of it: kubectl's own completion finds the program kubectl_complete-runtime.

    \b
    Examples:
      source <(quantum-runtime completion bash)
      quantum-runtime completion zsh > "${fpath[1]}/_quantum-runtime"
      quantum-runtime completion fish > ~/.config/fish/completions/quantum-runtime.fish
    """  # noqa: D301 - click wants the character itself
    click.echo(script(shell), nl=False)


def script(shell: str) -> str:
    """Return a shell's script, for both names of the program."""
    from quantum_runtime import cli

    made_by = get_completion_class(shell)
    assert made_by is not None
    # Without what `source` does besides: it runs bash to ask for its version.
    maker = made_by(cli.main, {}, NAMES[0], cli.COMPLETE_VARIABLE)
    text = maker.source_template % maker.source_vars()
    return text.rstrip("\n") + "\n" + _ALSO[shell].format(function=maker.func_name, name=NAMES[1])


def answer_to_kubectl(words: list[str], **context: Any) -> str:
    """Return candidates for the last word, a line each with its description behind a tab, and a directive.

    Args:
        words: What stands behind ``kubectl runtime``; the last one is to be completed, and may be empty.
        **context: For click's context.
    """
    from quantum_runtime import cli

    *before, incomplete = words or [""]
    items = ShellComplete(cli.main, context, "kubectl runtime", cli.COMPLETE_VARIABLE).get_completions(
        before, incomplete
    )
    kinds = {item.type for item in items}
    lines = [f"{item.value}\t{item.help}" if item.help else str(item.value) for item in items if item.type == "plain"]
    directive = _DEFAULT if "file" in kinds else _ONLY_FOLDERS if "dir" in kinds else _NO_FILES
    return "\n".join([*lines, f":{directive}"]) + "\n"


def main() -> None:
    """Answer kubectl."""
    click.echo(answer_to_kubectl(sys.argv[1:]), nl=False)
