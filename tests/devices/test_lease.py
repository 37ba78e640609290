"""Leases among real processes: no two hold one GPU, and none outlives its process."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from amb.devices.lease import lease_folder, take_lease
from amb.devices.visible import Gpu
from amb.errors import InputError

ROOT = Path(__file__).resolve().parents[2]
FOUR = [Gpu(name, name) for name in ("GPU-a", "GPU-b", "MIG-GPU-c/1/0", "index-3")]
DEADLINE_S = 60

# Takes a lease so many times; a GPU that another process holds at the same time has a mark.
TURNS = """
import os, random, sys, time
from pathlib import Path
from amb.devices.lease import take_lease
from amb.devices.visible import Gpu
folder, marks, turns = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
gpus = [Gpu(name, name) for name in sys.argv[4:]]
for _ in range(turns):
    lease = take_lease(gpus, folder, lambda line: None, poll_s=0.002)
    mark = marks / lease.gpu.name.replace("/", "_")
    os.close(os.open(mark, os.O_CREAT | os.O_EXCL))  # fails if there is a second holder
    time.sleep(random.uniform(0, 0.01))
    mark.unlink()
    lease.release()
    print(lease.gpu.name, flush=True)
"""

# Takes one lease and holds it until it is killed.
HOLD = """
import sys, time
from pathlib import Path
from amb.devices.lease import take_lease
from amb.devices.visible import Gpu
gpus = [Gpu(name, name) for name in sys.argv[2:]]
lease = take_lease(gpus, Path(sys.argv[1]), lambda line: print(line, flush=True), poll_s=0.01)
print("holds", lease.gpu.name, flush=True)
time.sleep(600)
"""


def start(code, *arguments):
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
    )


@pytest.fixture
def holder(tmp_path):
    """Start processes that hold one lease each; they are killed in the end."""
    started = []

    def hold(names):
        started.append(start(HOLD, tmp_path, *names))
        return started[-1]

    yield hold
    for process in started:
        process.kill()
        process.communicate()


def test_eight_processes_share_four_gpus_and_no_two_ever_hold_the_same(tmp_path):
    marks = tmp_path / "marks"
    marks.mkdir()
    names = [gpu.name for gpu in FOUR]
    workers = [start(TURNS, tmp_path, marks, 25, *names) for _ in range(8)]
    outputs = [worker.communicate(timeout=DEADLINE_S) for worker in workers]
    assert [worker.returncode for worker in workers] == [0] * 8, outputs
    taken = [line for out, _ in outputs for line in out.splitlines()]
    assert len(taken) == 8 * 25
    assert set(taken) == set(names)
    assert not list(marks.iterdir())


def test_jobs_beyond_the_gpus_wait_and_say_so(tmp_path, holder):
    names = ["GPU-a", "GPU-b"]
    first = [holder(names) for _ in names]
    assert {process.stdout.readline() for process in first} == {"holds GPU-a\n", "holds GPU-b\n"}
    third = holder(names)
    waiting = third.stdout.readline()
    assert waiting.startswith("every GPU is leased (GPU-a, GPU-b; locks in ")
    assert waiting.endswith("waiting for one\n")
    first[1].terminate()
    assert third.stdout.readline().startswith("waited ")
    assert third.stdout.readline().startswith("holds GPU-")


def test_a_gpu_whose_holder_was_killed_is_free_at_once(tmp_path, holder):
    killed = holder(["GPU-a"])
    assert killed.stdout.readline() == "holds GPU-a\n"
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait(DEADLINE_S)
    before = time.monotonic()
    lease = take_lease([Gpu("GPU-a", "GPU-a")], tmp_path, pytest.fail)
    assert time.monotonic() - before < 1
    lease.release()


def test_a_killed_holder_of_one_gpu_does_not_free_another(tmp_path, holder):
    kept, killed = holder(["GPU-a"]), holder(["GPU-b"])
    assert kept.stdout.readline() == "holds GPU-a\n"
    assert killed.stdout.readline() == "holds GPU-b\n"
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait(DEADLINE_S)
    lease = take_lease([Gpu("GPU-a", "GPU-a"), Gpu("GPU-b", "GPU-b")], tmp_path, pytest.fail)
    assert lease.gpu.name == "GPU-b"
    lease.release()


def test_a_child_of_the_holder_does_not_keep_the_lease(tmp_path):
    lease = take_lease([Gpu("GPU-a", "GPU-a")], tmp_path, pytest.fail)
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        lease.release()
        take_lease([Gpu("GPU-a", "GPU-a")], tmp_path, pytest.fail).release()
    finally:
        child.communicate(b"\n")


def test_leases_leave_no_open_files_behind(tmp_path):
    def open_files():
        return len(list(Path("/proc/self/fd").iterdir()))

    before = open_files()
    for _ in range(50):
        take_lease(FOUR, tmp_path, pytest.fail).release()
    assert open_files() == before
    assert len(list(tmp_path.iterdir())) <= len(FOUR)


# A process with two visible GPUs, one of them leased; nvidia-smi is not asked.
PROCESS = """
import os, sys
from amb.devices import lease
from amb.devices.visible import visible_gpus
lease.usable_gpus = lambda: visible_gpus(os.environ, None)
first, again = lease.lease_for_process(), lease.lease_for_process()
assert first is again
assert "torch" not in sys.modules
print(os.environ.get("CUDA_VISIBLE_DEVICES"))
"""


@pytest.mark.parametrize(("visible", "chosen"), [("GPU-a,GPU-b", "GPU-b"), ("1", "1")])
def test_a_process_sees_only_what_it_leased_before_torch_is_there(tmp_path, visible, chosen):
    lease = take_lease([Gpu("GPU-a", "GPU-a")], tmp_path, pytest.fail)
    environment = {"AMB_GPU_LEASES": str(tmp_path), "CUDA_VISIBLE_DEVICES": visible}
    command = [sys.executable, "-c", PROCESS]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=ROOT, env={**os.environ, **environment}
    )
    lease.release()
    assert done.stdout == f"{chosen}\n", done.stderr


def test_the_folder_is_the_users_own(tmp_path, monkeypatch):
    monkeypatch.delenv("AMB_GPU_LEASES", raising=False)
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    folder = lease_folder()
    assert folder.parent == tmp_path
    assert folder.stat().st_mode & 0o777 == 0o700
    monkeypatch.setattr("os.getuid", lambda: 12345)
    folder.rename(tmp_path / "amb-gpu-leases-12345")
    with pytest.raises(InputError, match="owner: found"):
        lease_folder()


def test_a_machine_without_a_gpu_trains_on_the_cpu_says_so_once_and_leases_nothing(tiny, tmp_path):
    inputs = ["--study", tiny.file, "--store", tiny.store, "--backbone", tiny.backbone]
    command = [
        sys.executable,
        "-m",
        "amb",
        "train",
        *map(str, inputs),
        "--method",
        "finetuned_late",
    ]
    command += ["--seeds", "1111", "1112", "--runs", str(tmp_path / "runs")]
    leases = tmp_path / "leases"
    environment = {**os.environ, "AMB_GPU_LEASES": str(leases), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    assert (done.stdout + done.stderr).count("no GPU on this machine: running on the CPU") == 1
    assert not leases.exists()
