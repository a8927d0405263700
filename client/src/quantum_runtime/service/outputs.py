"""Reads the RuntimeJobOutputs of a job, where a status has no room for what the program said."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from runtime_runner import contract

from quantum_runtime import exceptions
from quantum_runtime.cluster import errors
from quantum_runtime.cluster.api import OUTPUTS
from quantum_runtime.cluster.retrying import patiently

if TYPE_CHECKING:
    from collections.abc import Sequence

    from quantum_runtime.cluster.api import Api
    from quantum_runtime.service.view import OutputRef

AT_ONCE = 4
"""How many are read at the same time: each may have half a megabyte, and the API server has others to serve."""


class OutputGone(exceptions.IBMApiError):
    """A part is not there (any more): its job may not be, either."""


async def read_whole(api: Api, ref: OutputRef, what: str) -> str:
    """Return a text that is complete: compared with the size and digest the job's status has.

    Args:
        api: The cluster.
        ref: Where the text is.
        what: How errors name it: ``the result of job 'toss'``.

    Raises:
        OutputGone: a part is.
        IBMApiError: the text is not the one the operator stored.
        IBMNotAuthorizedError: the user may not read it.
    """
    text = "".join(await read(api, ref.names, what))
    size, sha256 = contract.digest(text)
    if (size, sha256) != (ref.size, ref.sha256):
        raise exceptions.IBMApiError(
            f"{what} is damaged: the RuntimeJobOutputs {', '.join(ref.names)} together have {size} bytes with SHA-256 "
            f"{sha256}, the job's status says {ref.size} bytes with {ref.sha256}"
        )
    return text


async def read(api: Api, names: Sequence[str], what: str) -> list[str]:
    """Return the texts of these outputs, in this order.

    Raises:
        OutputGone: one is; the message names it.
        IBMApiError: one is damaged; the message names it.
        IBMNotAuthorizedError: the user may not read them.
    """
    texts: list[str] = []
    for start in range(0, len(names), AT_ONCE):
        part = names[start : start + AT_ONCE]
        texts += await asyncio.gather(*(_text(api, name, what) for name in part))
    return texts


async def _text(api: Api, name: str, what: str) -> str:
    try:
        body = await patiently(lambda: api.get(OUTPUTS, name))
    except errors.NotFound as error:
        if error.kind_is_missing:
            raise exceptions.from_api(error, f"cannot read {what}") from error
        gone = f"{what} cannot be read: RuntimeJobOutput {name} is gone; it is deleted with its job"
        raise OutputGone(gone) from error
    except errors.ApiError as error:
        raise exceptions.from_api(error, f"cannot read {what}") from error
    spec = body["spec"]
    text: str = spec["text"]
    if contract.digest(text) != (spec["size"], spec["sha256"]):
        raise exceptions.IBMApiError(f"{what} is damaged: RuntimeJobOutput {name} is not what was written")
    return text
