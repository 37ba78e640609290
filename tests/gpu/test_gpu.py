"""What only a GPU can show: ``make test-gpu``. Every test skips where there is none, and says why.

All that touches the GPU runs in processes of its own, as in a study: the test session sees none.
"""

import json
import math
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from safetensors.numpy import load_file

from amb.files import read_json

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.gpu
SEED = 1111
BF16 = "bf16"
DEADLINE_S = 300

FIND = """
import json, torch
from amb.devices.visible import usable_gpus
names = [gpu.name for gpu in usable_gpus()]
print(json.dumps({"built": torch.version.cuda, "found": torch.cuda.is_available(), "names": names}))
"""

# Trains as ``amb train`` does, on a GPU of which this process is told that little memory is free.
TRAIN_WITH_LITTLE_MEMORY = """
import sys
from pathlib import Path
from amb.training import memory
from amb.training.job import Job
from amb.training.run import open_context, run_pack
memory.free_bytes = lambda device: 10_000
job = Job(*map(Path, sys.argv[1:4]), "amb", Path(sys.argv[4]), "cuda")
run_pack(job, [int(sys.argv[5])], lambda seed, epoch: None)
assert all(frames.stream for frames in open_context(job).splits["train"].frames.values())
"""

# Takes a lease as a job does, uses the GPU, and holds it until it is killed.
HOLD = """
import json, time
from amb.devices.lease import lease_for_process
gpu = lease_for_process()
import torch
total = float(torch.ones(1000, device="cuda").sum())
own = torch.cuda.get_device_properties(0)
facts = {"name": gpu.name, "uuid": str(own.uuid), "count": torch.cuda.device_count(), "sum": total}
print(json.dumps(facts), flush=True)
time.sleep(600)
"""


def environment(**more):
    """The environment of the session, with the GPUs that it had before they were hidden."""
    shown = {**os.environ, "PYTHONPATH": str(ROOT), **more}
    del shown["CUDA_VISIBLE_DEVICES"]
    if os.environ["AMB_TEST_GPUS"] != "all":
        shown["CUDA_VISIBLE_DEVICES"] = os.environ["AMB_TEST_GPUS"]
    return shown


def amb(*arguments):
    """Run one command of ``amb`` and return what it printed."""
    command = [sys.executable, "-m", "amb", *map(str, arguments)]
    done = subprocess.run(
        command, capture_output=True, text=True, env=environment(), timeout=DEADLINE_S
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="session")
def gpus():
    """The names of the GPUs."""
    command = [sys.executable, "-c", FIND]
    done = subprocess.run(command, capture_output=True, text=True, env=environment(), check=True)
    found = json.loads(done.stdout)
    if found["built"] is None:
        pytest.skip("torch is built without CUDA")
    if not found["found"]:
        pytest.skip("torch finds no GPU on this machine")
    return found["names"]


def demo(folder, precision):
    """The demo study with one epoch, its store and its backbone; return what commands take."""
    content = yaml.safe_load((ROOT / "config" / "demo.yaml").read_text(encoding="utf-8"))
    own = {"precision": BF16} if precision == BF16 else {"matmul_precision": precision}
    content["training"] |= {"max_epochs": 1, **own}
    content["statistics"]["claims"] = str(ROOT / "config" / "claims.yaml")
    study = folder / "study.yaml"
    study.write_text(yaml.safe_dump(content, sort_keys=False))
    if not (folder / "store").exists():
        amb("data", "prepare", "--study", study, "--out", folder / "store")
        amb("backbone", "--study", study, "--out", folder / "backbone")
    inputs = ["--study", study, "--store", folder / "store", "--backbone", folder / "backbone"]
    return [*inputs, "--method", "amb", "--seeds", SEED]


@pytest.fixture(scope="session")
def folder(gpus, tmp_path_factory):
    """A folder for the demo; not made where there is no GPU."""
    return tmp_path_factory.mktemp("demo")


def test_the_demos_amb_trains_an_epoch_on_the_gpu(folder):
    inputs = demo(folder, "medium")
    printed = amb("train", *inputs, "--runs", folder / "trained")
    assert "on GPU" in printed
    run = folder / "trained" / "amb" / f"seed{SEED}"
    record = read_json(run / "run.json")
    assert record["device"]["type"] == "cuda"
    assert record["peak_memory_bytes"] > 0
    assert (record["epochs"], record["stopped"]) == (1, "max_epochs")
    assert math.isfinite(record["best_valid_mae"])
    checkpoint = load_file(run / "checkpoint.safetensors")
    moved = [name for name, value in checkpoint.items() if "fusion" in name and value.any()]
    assert any(name.endswith("up_proj.weight") for name in moved)  # which begins at zero


# In float32 the two differ in the order of sums; `medium` lets the GPU multiply in TF32, whose
# relative step is 2^-11; bfloat16's is 2^-8.
@pytest.mark.parametrize(
    ("precision", "tolerance"), [("highest", 1e-4), ("medium", 2e-2), (BF16, 1e-1)]
)
def test_predictions_of_cpu_and_gpu_agree(folder, precision, tolerance):
    inputs = demo(folder, precision)
    gpu, cpu = folder / f"{precision}_gpu", folder / f"{precision}_cpu"
    amb("train", *inputs, "--runs", gpu)
    shutil.copytree(gpu, cpu)
    amb("evaluate", *inputs, "--runs", gpu)
    amb("evaluate", *inputs, "--runs", cpu, "--gpus", 0)
    agreement = folder / f"{precision}.json"
    amb("compare-runs", gpu, cpu, "--tolerance", tolerance, "--output", agreement)
    (run,) = read_json(agreement)["runs"]
    print(f"{precision}: largest difference {run['largest']:.1e}, mean {run['mean']:.1e}")
    assert run["predictions"] > 300


def test_features_that_are_streamed_to_the_gpu_train_the_same_model(folder):
    inputs = demo(folder, "highest")
    held, streamed = folder / "held", folder / "streamed"
    amb("train", *inputs, "--runs", held)
    command = [sys.executable, "-c", TRAIN_WITH_LITTLE_MEMORY, *inputs[1:6:2], streamed, SEED]
    done = subprocess.run(
        [*map(str, command)], capture_output=True, text=True, env=environment(), timeout=DEADLINE_S
    )
    assert done.returncode == 0, done.stderr
    assert "brought batch by batch" in done.stderr
    paths = [f / "amb" / f"seed{SEED}" / "checkpoint.safetensors" for f in (held, streamed)]
    one, other = map(load_file, paths)
    # Not every kernel of CUDA adds up in one order, so that two runs need not agree to the bit.
    for name, value in one.items():
        np.testing.assert_allclose(other[name], value, atol=1e-5, rtol=1e-4, err_msg=name)


def test_seeds_train_as_one_model_in_bf16_on_the_gpu(folder):
    inputs = demo(folder, BF16)
    runs = folder / "packed_bf16"
    amb("train", *inputs, SEED + 1, "--pack", 2, "--runs", runs)
    for seed in (SEED, SEED + 1):
        record = read_json(runs / "amb" / f"seed{seed}" / "run.json")
        assert (record["precision"], record["device"]["type"]) == (BF16, "cuda")
        assert record["packed_seeds"] == [SEED, SEED + 1]
        assert math.isfinite(record["best_valid_mae"])


@pytest.fixture
def holder(tmp_path):
    """Start processes that hold a GPU; they are killed in the end."""
    started = []

    def hold():
        process = subprocess.Popen(
            [sys.executable, "-c", HOLD],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(AMB_GPU_LEASES=str(tmp_path)),
        )
        started.append(process)
        return process

    yield hold
    for process in started:
        process.kill()
        process.communicate()


def test_every_job_has_a_gpu_of_its_own_and_the_next_one_waits(gpus, holder):
    holders = [holder() for _ in gpus]
    facts = [json.loads(process.stdout.readline()) for process in holders]
    assert sorted(fact["name"] for fact in facts) == sorted(gpus)
    for fact in facts:
        assert (fact["count"], fact["sum"]) == (1, 1000.0)
        if fact["name"].startswith("GPU-"):
            assert fact["name"] == f"GPU-{fact['uuid']}"
    last = holder()
    assert "waiting for one" in last.stderr.readline()
    os.kill(holders[0].pid, signal.SIGKILL)
    assert json.loads(last.stdout.readline())["name"] == facts[0]["name"]


def test_a_profile_on_the_gpu_adds_up(folder, tmp_path):
    inputs = demo(folder, "medium")
    study, store, backbone = inputs[1:6:2]
    files = tmp_path / "profile.json", tmp_path / "trace.json"
    amb(
        *("profile", study, "amb", "--store", store, "--backbone", backbone, "--steps", 10),
        *("--output", files[0], "--trace", files[1]),
    )
    profile = read_json(files[0])
    assert profile["hardware"]["type"] == "cuda"
    phases = {row["name"]: row["ms"] for row in profile["phases"]}
    assert all(ms >= 0 for ms in phases.values())
    assert 0.7 < sum(phases.values()) / profile["hooked_step_ms"] < 1.3  # medians of ten steps
    events = json.loads(files[1].read_text())["traceEvents"]
    assert any(event.get("cat") == "kernel" for event in events)
