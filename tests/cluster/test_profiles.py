"""The profiles plan the same study; a profile is a folder in which a user changes a value."""

import re
from pathlib import Path

import pytest
import yaml
from snakemake_command import PROJECT, jobs_in, snakemake

ROOT = Path(__file__).resolve().parents[2]
PROFILES = ROOT / "workflow" / "profiles"
PLUGINS = {
    "default": [],
    "slurm": ["snakemake_executor_plugin_slurm"],
    "kubernetes": ["snakemake_executor_plugin_kubernetes", "snakemake_storage_plugin_fs"],
}
# A name in Kubernetes (RFC 1123), and a claim with the folder that it is mounted at.
LABEL = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
KUBERNETES_SCHEMA = {
    "type": "object",
    "required": [
        "executor", "kubernetes-namespace", "kubernetes-persistent-volumes", "container-image",
        "default-storage-provider", "default-storage-prefix", "default-resources", "retries",
    ],
    "properties": {
        "executor": {"const": "kubernetes"},
        "kubernetes-namespace": {"pattern": f"^{LABEL}$"},
        "kubernetes-persistent-volumes": {
            "type": "array", "minItems": 1, "items": {"pattern": f"^{LABEL}:/[^:]*$"},
        },
        "container-image": {"pattern": r"^[a-z0-9][\w./-]*(:[\w.-]+)?(@sha256:[0-9a-f]{64})?$"},
        "default-storage-provider": {"const": "fs"},
        "default-storage-prefix": {"pattern": "^/"},
        "default-resources": {
            "type": "object",
            # Without limits (scale: 0) Kubernetes refuses a request for a GPU.
            "required": ["gpu_manufacturer", "scale", "mem_mb"],
            "properties": {
                "gpu_manufacturer": {"enum": ["nvidia", "amd"]},
                "scale": {"const": 0},
                "mem_mb": {"type": "integer", "minimum": 1},
            },
        },
        "retries": {"type": "integer", "minimum": 1},
    },
}  # fmt: skip


def content(name):
    return yaml.safe_load((PROFILES / name / "config.yaml").read_text(encoding="utf-8"))


def plan(name, folder, study, *arguments):
    """The jobs of a plan, by rule: what Snakemake says of them."""
    for plugin in PLUGINS[name]:
        pytest.importorskip(plugin)
    where = ["--directory", folder, "--workflow-profile", PROFILES / name, "-n"]
    done = snakemake(*PROJECT, *where, *arguments, "--config", f"study={study}")
    assert done.returncode == 0, done.stdout + done.stderr
    return jobs_in(done.stdout)


def local_rules():
    """The rules that run where Snakemake was started, as `local.smk` names them."""
    text = (ROOT / "workflow" / "rules" / "local.smk").read_text(encoding="utf-8")
    return {*re.findall(r'"(\w+)"', text), "tabulate_ablation", "tabulate_fusion", "all"}


@pytest.fixture(scope="module")
def here(tmp_path_factory, tiny):
    return plan("default", tmp_path_factory.mktemp("here"), tiny.file, "--cores", "1")


@pytest.mark.parametrize("name", ["slurm", "kubernetes"])
def test_the_same_jobs_are_planned_everywhere(name, tmp_path, tiny, here):
    planned = plan(name, tmp_path, tiny.file)
    assert set(planned) == set(here)
    submitted = set(planned) - local_rules()
    assert {"prepare_data", "train_amb_0", "evaluate_amb_0"} <= submitted
    # Without a profile's defaults: what is submitted says itself what it needs, nothing else does.
    assert submitted == {rule for rule, lines in here.items() if "runtime=" in lines}
    for rule in submitted:
        asks = planned[rule]
        assert re.search(r"mem_mb=\d+", asks), rule
        assert re.search(r"runtime=\d+", asks), rule
        takes_gpu = rule.startswith(("train_", "evaluate_", "measure_"))
        assert ("gpu=1" in asks) == takes_gpu, rule


def test_a_cluster_without_gpus_is_asked_for_none_and_for_a_core_a_seed(tmp_path, tiny):
    asks = plan("slurm", tmp_path, tiny.file, "--cores", "8", "--resources", "gpu=0")["train_amb_0"]
    assert "gpu=0" in asks
    assert "threads: 2" in asks
    asks = plan("slurm", tmp_path, tiny.file, "--cores", "8")["train_amb_0"]
    assert "threads" not in asks


@pytest.mark.parametrize("name", ["slurm", "kubernetes"])
def test_profiles_keep_what_the_default_one_says_of_interrupted_runs(name):
    shared = {"rerun-incomplete", "keep-incomplete", "keep-going"}
    assert {key: content(name)[key] for key in shared} == {
        key: content("default")[key] for key in shared
    }


def test_the_kubernetes_profile_keeps_its_schema():
    import jsonschema

    profile = content("kubernetes")
    jsonschema.validate(profile, KUBERNETES_SCHEMA)
    folders = [volume.split(":")[1] for volume in profile["kubernetes-persistent-volumes"]]
    assert profile["default-storage-prefix"] in folders


def test_slurm_is_asked_by_squeue():
    """With ``sacct``, a job cancelled from outside was seen to keep Snakemake waiting for ever."""
    assert content("slurm")["slurm-status-command"] == "squeue"
    assert content("slurm")["slurm-requeue"] is True
