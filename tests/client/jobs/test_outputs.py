from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import pytest
from quantum_runtime import exceptions
from quantum_runtime.cluster import errors
from quantum_runtime.cluster.api import OUTPUTS
from quantum_runtime.service import outputs
from quantum_runtime.service.view import JobView, OutputRef, parse_job

if TYPE_CHECKING:
    from support.fake_api import FakeApi

    from .conftest import Submit

TEXT = "ähnlich wie Österreich" * 40


@pytest.fixture
def ended(api: FakeApi, submit: Submit) -> JobView:
    """A job with a log of three outputs."""
    submit()
    names = api._store_text("toss", "Logs", TEXT, chunk_bytes=400)
    ref = {"names": names, "size": len(TEXT.encode()), "sha256": hashlib.sha256(TEXT.encode()).hexdigest()}
    logs: dict[str, Any] = {"tail": "", "bytes": len(TEXT.encode()), "truncated": True, "ref": ref}
    return parse_job(api.set_status("toss", phase="Completed", logs=logs))


def ref_of(view: JobView) -> OutputRef:
    assert view.log_ref is not None
    return view.log_ref


async def test_a_text_in_several_outputs_is_put_together_in_order(api: FakeApi, ended: JobView) -> None:
    assert len(ended.log_names) == 3
    assert await outputs.read_whole(api, ref_of(ended), "the log") == TEXT


async def test_a_server_that_is_unavailable_for_a_moment_is_asked_again(api: FakeApi, ended: JobView) -> None:
    api.fail("get", OUTPUTS, errors.Unavailable("one moment"), times=2)
    assert await outputs.read_whole(api, ref_of(ended), "the log") == TEXT


async def test_an_output_that_was_altered_is_named(api: FakeApi, ended: JobView) -> None:
    name = ended.log_names[1]
    api.edit(OUTPUTS, name, {"spec": {"text": "something else"}})
    with pytest.raises(exceptions.IBMApiError, match=f"the log is damaged: RuntimeJobOutput {name} is not what was"):
        await outputs.read_whole(api, ref_of(ended), "the log")


async def test_outputs_that_are_not_the_whole_are_named(api: FakeApi, ended: JobView) -> None:
    ref = ref_of(ended)
    part = OutputRef(ref.names[:2], ref.size, ref.sha256)
    with pytest.raises(exceptions.IBMApiError, match=f"the log is damaged: .*{ref.names[0]}, {ref.names[1]} together"):
        await outputs.read_whole(api, part, "the log")


async def test_an_output_that_is_gone_is_named(api: FakeApi, ended: JobView) -> None:
    api.remove(OUTPUTS, ended.log_names[2])
    with pytest.raises(exceptions.IBMApiError, match=f"RuntimeJobOutput {ended.log_names[2]} is gone"):
        await outputs.read_whole(api, ref_of(ended), "the log")


async def test_who_may_not_read_outputs_is_told_which_right_is_missing(api: FakeApi, ended: JobView) -> None:
    api.forbid("get", OUTPUTS)
    with pytest.raises(exceptions.IBMNotAuthorizedError, match="may not get runtimejoboutputs"):
        await outputs.read_whole(api, ref_of(ended), "the log")
