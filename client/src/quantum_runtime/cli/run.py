"""``quantum-runtime run``: one run of a program, on this machine or on a cluster."""

from __future__ import annotations

from pathlib import Path

import click

from quantum_runtime import local
from quantum_runtime.cli import arguments, candidates, run_here, run_there, session


@click.command(short_help="Run a program, on a cluster or on this machine.")
@click.argument("program", shell_complete=candidates.programs_or_paths)
@arguments.input_options
@click.option(
    "--backend",
    metavar="NAME",
    help="Backend to run on: aer (the default), fake-montreal, generic-5, ibmq_montreal, ...",
    shell_complete=candidates.backends,
)
@arguments.time_limit_option
@click.option(
    "--log-level",
    type=click.Choice(local.LOG_LEVELS, case_sensitive=False),
    default=None,
    help="Level of the root logger in the program's process; INFO if not given.",
)
@click.option("--tag", "tags", multiple=True, help="Cluster: a word to find the job by. May be repeated.")
@click.option("--name", help="Cluster: name of the job; if not given it gets one.")
@click.option(
    "--start-deadline",
    type=click.IntRange(min=1),
    metavar="SECONDS",
    help="Cluster: how long the job may wait for its start; the default is the cluster's.",
)
@click.option("-f", "--follow", is_flag=True, help="Cluster: stay until the job has ended, and print what it says.")
@click.option(
    "--backend-file",
    type=click.Path(path_type=Path),
    help="Here: YAML file with a RuntimeBackend to run on; with several in it, --backend chooses one.",
)
@arguments.compatibility_option
@click.option(
    "-o",
    "--output",
    type=click.Choice(["text", "json", "yaml", "name"]),
    default="text",
    show_default=True,
    help="Format of the output. json: on this machine, and with --follow, one document about the run, otherwise the "
    "job; yaml and name: the job.",
)
@session.cluster_options
@arguments.plain_errors
def run(
    program: str,
    single: tuple[str, ...],
    documents: tuple[str, ...],
    backend: str | None,
    max_execution_time: int | None,
    log_level: str | None,
    tags: tuple[str, ...],
    name: str | None,
    start_deadline: int | None,
    follow: bool,
    backend_file: Path | None,
    compatibility: str | None,
    output: str,
) -> None:
    """Run PROGRAM: the name of a program on the cluster, or the path of a file or a folder on this machine.

    A word with a path separator in it, one that ends in .py, and `.` are paths; any other is a name.

    On the cluster, this makes a job and prints its name. With --follow it stays until the job has ended; Ctrl-C then
    leaves the job running.

    On this machine, the program runs with the same runner, checks, limits and messages, but without a sandbox: it has
    your rights. Ctrl-C cancels the run, a second one kills it.

    Interim results and the result go to stdout, what the program logs to stderr. The exit code tells the outcome, see
    `quantum-runtime --help`; without --follow it tells whether there is a job.

    \b
    Examples:
      quantum-runtime run sample-program -i iterations=3 --follow
      quantum-runtime run vqe --inputs h2.json --backend fake-montreal --tag hydrogen
      quantum-runtime run ./vqe -i seed=1 -o json | jq .result
      quantum-runtime run bell.py --inputs bell.json --backend fake-montreal
    """  # noqa: D301 - click wants the character itself
    only_here: dict[str, object] = {"--backend-file": backend_file, "--compatibility": compatibility}
    only_there: dict[str, object] = {
        "--tag": tags,
        "--name": name,
        "--start-deadline": start_deadline,
        "--follow": follow,
        "-o yaml": output == "yaml",
        "-o name": output == "name",
    }
    only_there |= {f"--{option}": value for option, value in session.settings().items()}
    if arguments.is_path(program):
        arguments.refuse(only_there, f"is for programs on a cluster; {program} is a path, and runs on this machine")
        run_here.run(
            Path(program),
            arguments.read_inputs(documents, single),
            backend=backend,
            backend_file=backend_file,
            max_execution_time=max_execution_time,
            compatibility=compatibility,
            log_level=log_level,
            output=output,
        )
        return
    arguments.refuse(
        only_here, f"is for programs on this machine, {program} is the name of one on the cluster; write ./{program}"
    )
    run_there.run(
        program,
        arguments.read_inputs(documents, single),
        backend=backend,
        max_execution_time=max_execution_time,
        log_level=log_level,
        tags=tags,
        name=name,
        start_deadline=start_deadline,
        follow=follow,
        output=output,
    )
