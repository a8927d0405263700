from __future__ import annotations

import os
import resource
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from runtime_runner import limits

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "cgroup"


def put(root: Path, name: str, text: str) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(text)


class TestThreads:
    @pytest.mark.parametrize(
        ("files", "expected"),
        [
            pytest.param({"cpu.max": "100000 100000\n"}, 1, id="one CPU, cgroup v2"),
            pytest.param({"cpu.max": "50000 100000\n"}, 1, id="half a CPU is rounded up"),
            pytest.param({"cpu.max": "max 100000\n"}, None, id="no limit, cgroup v2"),
            pytest.param(
                {"cpu/cpu.cfs_quota_us": "100000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 1, id="one CPU, cgroup v1"
            ),
            pytest.param(
                {"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, None, id="no limit, cgroup v1"
            ),
            pytest.param({"cpu.max": "100000000 100000\n"}, None, id="more than there are"),
            pytest.param({"cpu.max": "nonsense\n"}, None, id="something else"),
            pytest.param({}, None, id="no cgroup"),
        ],
    )
    def test_are_as_many_as_the_container_has_cpus(
        self, root: Path, files: dict[str, str], expected: int | None
    ) -> None:
        for name, text in files.items():
            put(root, name, text)
        assert limits.cpu_count(root=root) == (expected or len(os.sched_getaffinity(0)))

    def test_what_the_platform_has_set_stays(self, root: Path) -> None:
        put(root, "cpu.max", "100000 100000")
        assert limits.thread_environment({"OMP_NUM_THREADS": "4"}, root=root) == {
            "OPENBLAS_NUM_THREADS": "1",
            "RAYON_NUM_THREADS": "1",
            "OMP_WAIT_POLICY": "PASSIVE",
        }


class TestOutOfMemory:
    @pytest.mark.parametrize(
        ("cgroup", "name", "text", "expected"),
        [
            ("0::/\n", "memory.events", "low 0\noom 2\noom_kill 1\noom_group_kill 0\n", 1),
            ("0::/a/b\n", "a/b/memory.events", "oom_kill 3\n", 3),
            ("4:memory:/\n0::/\n", "memory/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n", 2),
            ("4:memory:/a\n", "memory/a/memory.oom_control", "oom_kill 5\n", 5),
            ("4:memory:/of/the/host\n", "memory/memory.oom_control", "oom_kill 6\n", 6),
            ("0::/\n", "other", "", None),
            ("", "memory.events", "oom_kill 1\n", None),
        ],
    )
    def test_kills_are_counted_by_cgroup_v2_and_v1(
        self, root: Path, tmp_path: Path, cgroup: str, name: str, text: str, expected: int | None
    ) -> None:
        put(root, name, text)
        put(tmp_path, "self", cgroup)
        assert limits.out_of_memory_kills(root=root, cgroups=tmp_path / "self") == expected


def test_limits_are_lowered_and_never_raised() -> None:
    code = """
import resource
from runtime_runner import limits
resource.setrlimit(resource.RLIMIT_NOFILE, (100, 200))
limits.apply(count_processes=True)
print(resource.getrlimit(resource.RLIMIT_NOFILE), resource.getrlimit(resource.RLIMIT_CORE))
print(resource.getrlimit(resource.RLIMIT_FSIZE)[1], resource.getrlimit(resource.RLIMIT_NPROC)[1])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    allowed = resource.getrlimit(resource.RLIMIT_NPROC)[1]
    processes = limits.PROCESSES if allowed == resource.RLIM_INFINITY else min(limits.PROCESSES, allowed)
    assert done.stdout == f"(200, 200) (0, 0)\n{limits.FILE_BYTES} {processes}\n"


def test_a_file_larger_than_allowed_cannot_be_written() -> None:
    code = """
import os, tempfile
from runtime_runner import limits
limits.apply(count_processes=False)
with tempfile.TemporaryFile() as file:
    file.seek(limits.FILE_BYTES)
    try:
        file.write(b"x")
        file.flush()
    except OSError as error:
        print(error.strerror, flush=True)
        os._exit(0)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "File too large\n"
