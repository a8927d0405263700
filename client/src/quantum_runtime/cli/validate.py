"""``quantum-runtime validate``: what a cluster would say about a program, or about a job."""

from __future__ import annotations

from pathlib import Path

import click

from quantum_runtime.cli import arguments, candidates, session, validate_here, validate_there


@click.command(short_help="Check a program's files, or what the cluster would say about a job.")
@click.argument("program", required=False, shell_complete=candidates.programs_or_paths)
@arguments.input_options
@click.option("--backend", metavar="NAME", help="Cluster: backend to run on.", shell_complete=candidates.backends)
@arguments.time_limit_option
@click.option(
    "-f", "--filename", type=click.Path(path_type=Path), help="Cluster: a file of RuntimeJobs; - reads stdin."
)
@session.cluster_options
@arguments.plain_errors
def validate(
    program: str | None,
    single: tuple[str, ...],
    documents: tuple[str, ...],
    backend: str | None,
    max_execution_time: int | None,
    filename: Path | None,
) -> None:
    """Check PROGRAM, the path of a file or folder on this machine, or a job of the program called PROGRAM on the cluster.

    A word with a path separator in it, one that ends in .py, and `.` are paths; any other is a name. No code of the
    program is run.

    Of a path, it says what a cluster would say about files, metadata, schemas and examples: a line for each error and
    warning, with file, field and, in parentheses, the cluster's reason. Inputs are checked like an example. It exits
    with 0 if there are no errors, with 1 if there are.

    Of a name, or of each RuntimeJob in a file, it asks the cluster what it would say about the job (a dry run), and
    checks program, backend, limits and inputs as the cluster would. It exits with 0 if the job would run, and otherwise
    by the reason, as `result` would for that job: with 3 for its inputs, with 4 for its backend, with 7 if there is no
    such program.

    \b
    Examples:
      quantum-runtime validate programs/sample_program
      quantum-runtime validate vqe.py --inputs vqe_inputs.json
      quantum-runtime validate vqe -i maxiter=100 --backend fake-montreal
      quantum-runtime validate -f job.yaml
    """  # noqa: D301, E501 - click wants the character itself
    if (program is None) is (filename is None):
        raise click.UsageError("give either a PROGRAM, or a file of RuntimeJobs with -f")
    if program is not None and arguments.is_path(program):
        only_there: dict[str, object] = {"--backend": backend, "--max-execution-time": max_execution_time}
        only_there |= {f"--{option}": value for option, value in session.settings().items()}
        arguments.refuse(only_there, f"is for programs on a cluster; {program} is a path on this machine")
        validate_here.validate(Path(program), arguments.read_inputs(documents, single) if documents or single else None)
        return
    if filename is not None:
        of_job: dict[str, object] = {"-i": single, "--inputs": documents, "--backend": backend}
        of_job["--max-execution-time"] = max_execution_time
        arguments.refuse(of_job, "is in the RuntimeJob that -f names")
        validate_there.validate_file(filename)
        return
    assert program is not None
    validate_there.validate(
        program, arguments.read_inputs(documents, single), backend=backend, max_execution_time=max_execution_time
    )
