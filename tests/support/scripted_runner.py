"""A runner that keeps to the protocol and whose program is written by the test."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from runtime_runner import contract
from runtime_runner.contract import FailureReason, RunnerState

from support.clock import START

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from support.world import ClusterInTime

    Program = Callable[["ScriptedRunner"], Awaitable[None]]


def now() -> float:
    """Return the test's time as seconds since the epoch."""
    return START + asyncio.get_running_loop().time()


async def three_interims(runner: ScriptedRunner) -> None:
    """What most tests run: a second of work with something to say about it."""
    for n in range(3):
        runner.log(f"iteration {n}\n")
        runner.interim(str(n))
        await asyncio.sleep(0.3)
    runner.result('"All done!"')


class ScriptedRunner:
    """Plays supervisor and worker behind a pod of `FakeKube`.

    The program talks through `log`, `interim`, `result` and `fail`; when it returns without an outcome the runner dies
    without a word, as after SIGKILL.
    """

    def __init__(
        self, kube: ClusterInTime, namespace: str, pod: str, program: Program, *, clock_skew: float = 0.0
    ) -> None:
        self.kube, self.namespace, self.pod = kube, namespace, pod
        self.process = kube.run_pod(namespace, pod)
        self.process.on_request = self._on_request
        self.requests: list[dict[str, Any]] = []
        self.executions = 0
        """How often the program was entered: what at-most-once is about."""
        self.job_uid = ""
        self.cancelled = asyncio.Event()
        self.on_job: Callable[[], None] = lambda: None
        """Called when a job has been accepted, before the answer to anything that follows."""
        self.refuse_jobs = False
        self.silent = False
        """True: requests are lost on it, as if it had been stopped."""
        self.muted = False
        """True: what it says arrives in the log alone, as if the stream were stuck."""
        self._program = program
        self._seq = 0
        self._state = RunnerState.STARTING
        self._ready = asyncio.Event()
        self._may_enter = asyncio.Event()
        self._started_at = 0.0
        self._published = self._log_bytes = 0
        self._outcome: bool | None = None
        self._task: asyncio.Task[None] | None = None

    # What the program may do

    def log(self, text: str) -> None:
        self._log_bytes += len(text.encode())
        self.emit(contract.Log, stream="stdout", text=text)

    def interim(self, value: str) -> None:
        self._published += 1
        self.emit(contract.Interim, value=value)

    def result(self, text: str, *, piece: int = contract.RESULT_CHUNK_CHARACTERS) -> None:
        size, sha256 = contract.digest(text)
        pieces = [text[start : start + piece] for start in range(0, len(text), piece)]
        for index, part in enumerate(pieces):
            self.emit(contract.Result, index=index, count=len(pieces), text=part, size=size, sha256=sha256)
        self._outcome = True

    def fail(self, reason: FailureReason, message: str, traceback: str = "") -> None:
        if self._outcome is None:
            self.emit(contract.Failed, reason=reason, message=message, traceback=traceback)
            self._outcome = False

    # What the supervisor does

    def emit(self, kind: type[Any], **fields: Any) -> None:
        """Write the next journal event."""
        self._seq += 1
        self._say(kind(seq=self._seq, time=self.clock(), **fields))

    def clock(self) -> float:
        return now() + self.kube.node_clock_skew

    def ready(self) -> None:
        self._state = RunnerState.READY
        self.emit(contract.Ready, protocol=contract.PROTOCOL, versions={"python": "3.13"}, warmup_seconds=0.5)
        self._ready.set()

    def unmute(self) -> None:
        """The stuck stream breaks; the next one works."""
        self.muted = False
        self.process.drop_streams()

    def terminate(self) -> None:
        """SIGTERM."""
        self.fail(FailureReason.CANCELLED, "the pod was told to stop")
        self._end()

    def kill(self, *, reason: str = "Error", exit_code: int = 137) -> None:
        """SIGKILL: nothing more is said."""
        if self._task is not None:
            self._task.cancel()
        self._state = RunnerState.ENDED
        self.kube.end_pod(self.namespace, self.pod, exit_code=exit_code, reason=reason)

    def _on_request(self, body: dict[str, Any]) -> None:
        self.requests.append(body)
        if self.silent or self._state is RunnerState.ENDED:
            return
        match body["kind"]:
            case "resume":
                self._answer_where()
            case "job" if self.refuse_jobs or self.job_uid not in ("", body["job_uid"]):
                self._say(contract.Refused(seq=self._seq, time=self.clock(), message="this runner runs no such job"))
            case "enter" if body["job_uid"] != self.job_uid:
                self._say(contract.Refused(seq=self._seq, time=self.clock(), message="this runner has no such job"))
            case "enter":
                self._may_enter.set()
            case "job" if self.job_uid:
                if not body["hold"]:
                    self._may_enter.set()
                self._answer_where()
            case "job":
                self.job_uid = body["job_uid"]
                if not body["hold"]:
                    self._may_enter.set()
                self._task = asyncio.create_task(self._run())
                self.on_job()
            case "cancel":
                self.cancelled.set()
                self.fail(FailureReason.CANCELLED, "the job was cancelled")
                self._end()

    def _answer_where(self) -> None:
        held = self.job_uid and not self._may_enter.is_set() and self._state is not RunnerState.ENDED
        state = RunnerState.HELD if held else self._state
        self._say(contract.Resumed(seq=self._seq, time=self.clock(), state=state, job_uid=self.job_uid))

    async def _run(self) -> None:
        await self._ready.wait()
        await self._may_enter.wait()
        self.executions += 1
        self._state, self._started_at = RunnerState.RUNNING, now()
        self.emit(contract.Started, job_uid=self.job_uid)
        await self._program(self)
        if self._state is RunnerState.ENDED:
            return
        if self._outcome is None:
            self.kill()
        else:
            self._end()

    def _end(self) -> None:
        if self._state is RunnerState.ENDED:
            return
        if self._task is not None and self._task is not asyncio.current_task():
            self._task.cancel()
        seconds = now() - self._started_at if self._started_at else 0.0
        self.emit(
            contract.Exit,
            succeeded=bool(self._outcome),
            execution_seconds=seconds,
            interim_published=self._published,
            interim_dropped=0,
            log_bytes=self._log_bytes,
            log_dropped_bytes=0,
        )
        self._state = RunnerState.ENDED
        self._exited = asyncio.create_task(self._exit())

    async def _exit(self) -> None:
        """The kubelet notices a while after the last event."""
        await asyncio.sleep(0.5)
        if any(pod["metadata"]["name"] == self.pod for pod in self.kube.pods()):
            self.kube.end_pod(self.namespace, self.pod, exit_code=0 if self._outcome else 1)

    def _say(self, event: contract.AnyEvent) -> None:
        if self.muted:
            self.process.journal.append(contract.encode(event))
        elif self.process.running:
            self.process.say(contract.encode(event))
