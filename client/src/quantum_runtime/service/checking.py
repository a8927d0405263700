"""What the cluster would say of a job, without running it.

The API server is asked with a dry run: schema, policies, rights, quota. What the operator looks at afterwards is looked
at here, with the same rules and sentences.
"""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quantum_runtime import findings, judgement, sources
from quantum_runtime.backends import Backend
from quantum_runtime.cluster import errors
from quantum_runtime.cluster.api import BACKENDS, JOBS, PROGRAMS, PUBLIC_PROGRAMS
from quantum_runtime.cluster.retrying import patiently
from quantum_runtime.exceptions import IBMBackendValueError, IBMInputValueError, translated
from quantum_runtime.folder import ProgramFolder
from quantum_runtime.judgement import Refusal
from quantum_runtime.metadata import Metadata
from quantum_runtime.service import backend as service_backends
from quantum_runtime.service import refusals, repeating
from quantum_runtime.service.program import RuntimeProgram

if TYPE_CHECKING:
    from collections.abc import Mapping

    from quantum_runtime.cluster.api import Api, Object

log = logging.getLogger(__name__)


async def check(api: Api, job: Mapping[str, Any]) -> Object:
    """Return what the API server would make of a job.

    Args:
        api: The cluster.
        job: The RuntimeJob, as it would be sent.

    Raises:
        RuntimeProgramNotFound: there is no such program.
        IBMInputValueError: the job would be refused or fail, before its program is entered; the message is the one the
            cluster would give.
        IBMBackendValueError: the reason is the backend.
        IBMNotAuthorizedError: the user may not create jobs.
    """
    with translated("the cluster would refuse the job", not_found=IBMInputValueError):
        try:
            answer = await patiently(lambda: api.create(JOBS, job, dry_run=True))
        except errors.AlreadyExists as error:
            named = f"a job {job['metadata'].get('name')!r} in the namespace {api.namespace}"
            raise IBMInputValueError(f"there is {named} already; choose another name") from error
    spec = answer["spec"]
    about = await _program(api, **spec["programRef"])
    if about.reason and not about.ready:
        raise refusals.refused(Refusal(about.reason, about.message or about.reason))
    folder, inputs = _folder(about), spec.get("inputs", {})
    backend = await _backend(api, spec.get("backend"))
    _raise(judgement.refusal(folder, inputs, backend, spec.get("maxExecutionTimeSeconds")))
    refusal, warning = await asyncio.to_thread(judgement.of_inputs, folder, inputs, what="spec.inputs")
    _raise(refusal)
    if warning:
        log.warning("%s", warning)
    _raise(_complaint(folder, inputs))
    return answer


def _raise(refusal: Refusal | None) -> None:
    if refusal is not None:
        raise refusals.refused(refusal)


async def _program(api: Api, *, kind: str, name: str) -> RuntimeProgram:
    """Return the program that a job names.

    Raises:
        RuntimeProgramNotFound: there is none; the message says if it is of the other kind.
    """
    ours, other = (PUBLIC_PROGRAMS, PROGRAMS) if kind == PUBLIC_PROGRAMS.kind else (PROGRAMS, PUBLIC_PROGRAMS)
    with translated(f"cannot read {kind} {name!r}"):
        try:
            return RuntimeProgram(await repeating.get(api, ours, name))
        except errors.NotFound as error:
            if error.kind_is_missing:
                raise
    message = f"there is no {kind} {name!r}" + (f" in namespace {api.namespace}" if ours.namespaced else "")
    try:
        await repeating.get(api, other, name)
    except errors.ApiError:
        hint = ""  # it would have been one
    else:
        hint = f", but a {other.kind}; see spec.programRef.kind"
    raise refusals.refused(Refusal(refusals.PROGRAM_NOT_FOUND, message + hint))


def _folder(program: RuntimeProgram) -> ProgramFolder:
    """Return the program as far as the rules look at it, with the limits that its resource has now."""
    spec = program.body["spec"]
    entrypoint = spec.get("entrypoint", "main.py")
    source = spec.get("source", {})
    about = Metadata(
        name=program.program_id,
        max_execution_time=program.max_execution_time,
        is_public=program.is_public,
        min_num_qubits=spec.get("backendRequirements", {}).get("minNumQubits", 0),
        parameters=spec.get("parameters") or {},
    )
    files = {entrypoint: source["inline"]} if "inline" in source else source.get("files", {})
    return ProgramFolder(path=Path(), name=program.program_id, metadata=about, files=files, entrypoint=entrypoint)


async def _backend(api: Api, name: str | None) -> Backend:
    """Return the backend a job would get; where it names none, one about which nothing is known."""
    if name is None:
        return Backend(name="", spec={})
    with translated(f"cannot read backend {name!r}"):
        try:
            body = await repeating.get(api, BACKENDS, name)
        except (errors.NotFound, errors.Forbidden):  # who may not read backends still knows the well-known ones
            return Backend(name=name, spec=_well_known(name))
    return Backend(name=name, spec=body.get("spec") or {})


def _well_known(name: str) -> dict[str, Any]:
    try:
        return service_backends.well_known(name)
    except IBMBackendValueError as error:
        raise refusals.refused(Refusal(refusals.BACKEND_NOT_FOUND, error.message)) from None


def _complaint(program: ProgramFolder, inputs: dict[str, Any]) -> Refusal | None:
    """Return what a runner would say about the program and a call of its main, as far as the source tells."""
    if program.entrypoint not in program.files:
        return None  # in a ConfigMap; the program's own status says whether it is there
    tree, found = sources.parse(program.entrypoint, program.files[program.entrypoint])
    main = None
    if tree is not None:
        main, found = sources.find_main(program.entrypoint, tree)
    if problems := findings.errors(found):
        return Refusal(problems[0].reason, problems[0].message)
    complaint = main.complaints(inputs) if main is not None else ""
    return Refusal(findings.INVALID_INPUT, complaint) if complaint else None
