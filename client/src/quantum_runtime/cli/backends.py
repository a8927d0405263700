"""``quantum-runtime backends``: what programs can run on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from quantum_runtime import manifest
from quantum_runtime.cli import arguments, candidates, objects, session, table

if TYPE_CHECKING:
    from quantum_runtime.service.backend import RuntimeBackend

COLUMNS = ("NAME", "QUBITS", "SIMULATOR", "DESCRIPTION")


@click.command(short_help="List the backends, or show one.")
@click.argument("name", required=False, shell_complete=candidates.backends)
@arguments.output_option("table", "json", "yaml", "name")
@session.cluster_options
def backends(name: str | None, output: str) -> None:
    """List the cluster's backends, and Aer with its methods; or show the one called NAME.

    Many more are known by name and not listed: fake-montreal and some seventy other devices, the names of the retired
    service (ibmq_montreal), and generic-5 and the like. The qubits of a simulator are what 16 GiB of memory hold, or
    its method's bound.

    \b
    Examples:
      quantum-runtime backends
      quantum-runtime backends ibmq_montreal
    """  # noqa: D301 - click wants the character itself
    service = session.service()
    found = [service.backend(name)] if name is not None else service.backends()
    if output == "table":
        click.echo(table.render(COLUMNS, [_row(backend) for backend in found]), nl=False)
    else:
        click.echo(objects.text([_body(one) for one in found], output, single=name is not None), nl=False)


def _row(backend: RuntimeBackend) -> tuple[object, ...]:
    return str(backend.name), backend.num_qubits, "yes" if backend.simulator else "no", backend.description


def _body(backend: RuntimeBackend) -> dict[str, Any]:
    """Return the RuntimeBackend there is, or could be: a well-known name works without one."""
    metadata = {"name": str(backend.name)}
    return {"apiVersion": manifest.API_VERSION, "kind": "RuntimeBackend", "metadata": metadata, "spec": backend.spec}
