"""A tiny study that is real in every part, and simulated predictions.

The study has generated data, a random BERT and four methods.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from snakemake_command import PROJECT, jobs_in, snakemake

from amb.evaluation.predictions import PREDICTION_COLUMNS

os.environ.setdefault("HF_HUB_OFFLINE", "1")
# The suite runs on the CPU wherever it runs; tests/gpu shows GPUs to the processes that it starts.
os.environ.setdefault("AMB_TEST_GPUS", os.environ.get("CUDA_VISIBLE_DEVICES", "all"))
os.environ["CUDA_VISIBLE_DEVICES"] = ""
ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class TinyStudy:
    """Where the parts of the tiny study lie."""

    file: Path
    store: Path
    backbone: Path
    checkpoint: Path


def tiny_study_content(backbone_name: str) -> dict:
    """Return the tiny study as the content of its YAML file."""
    content = yaml.safe_load((ROOT / "config" / "demo.yaml").read_text(encoding="utf-8"))
    content["name"] = "tiny"
    content["data"]["demo"]["videos"] = {"train": 6, "valid": 3, "test": 4}
    content["data"]["demo"]["utterances_per_video"] = 6
    content["backbone"] = {"name": backbone_name, "pooling": "mean"}
    content["seeds"]["count"] = 2
    for row in content["methods"].values():
        row.pop("seeds", None)
    content["training"] = {"max_epochs": 2, "patience": 2, "batch_size": 12}
    content["statistics"]["claims"] = str(ROOT / "config" / "claims.yaml")
    return content


def snakemake_plan(folder: Path, study: Path, *targets: str, **settings: object) -> dict[str, str]:
    """Return what Snakemake would do in an empty folder: by rule, the lines of its plan."""
    where = ["--directory", folder, "--cores", "1", "--resources", "gpu=0", "-n", "-p"]
    config = [f"{name}={value}" for name, value in {"study": study, **settings}.items()]
    done = snakemake(*PROJECT, *where, *targets, "--config", *config)
    assert done.returncode == 0, done.stderr
    return jobs_in(done.stdout)


def simulate(methods, videos=8, clips=5, seed=0, seed_spread=0.1):
    """Return predictions of ``{method: (first seed, number of seeds, noise)}`` on valid and test.

    Rows come in random order; videos differ in how many utterances they have. Labels and what is
    common to all methods depend on ``seed`` alone, so that methods can be added without effect.
    """
    frames = []
    for split in ("valid", "test"):
        data = np.random.default_rng([seed, len(split)])
        sizes = data.integers(1, 2 * clips, videos)
        video = np.repeat([f"{split}{v:03d}" for v in range(videos)], sizes)
        label = np.round(data.normal(0, 1.5, video.size) * 5) / 5
        for place, (method, (first, count, noise)) in enumerate(methods.items()):
            rng = np.random.default_rng([seed, len(split), place])
            hard = rng.normal(0, 0.3, videos).repeat(sizes)
            for run in range(first, first + count):
                bias = rng.normal(0, seed_spread)
                guess = label + bias + hard + rng.normal(0, noise, video.size)
                frame = pd.DataFrame(
                    {
                        "method": method,
                        "seed": run,
                        "split": split,
                        "corruption": "none",
                        "utterance": [f"{name}_{i}" for i, name in enumerate(video)],
                        "video": video,
                        "label": label.astype(np.float32),
                        "prediction": guess.astype(np.float32),
                    }
                )
                frames.append(frame[list(PREDICTION_COLUMNS)])
    return pd.concat(frames).sample(frac=1, random_state=seed, ignore_index=True)


@pytest.fixture(name="simulate", scope="session")
def simulate_fixture():
    return simulate


@pytest.fixture
def plan():
    """What Snakemake would do with a study, without doing it."""
    return snakemake_plan


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of the real data sets."""
    folder = ROOT.parent / "shared" / "data"
    if not (folder / "mosi").is_dir():
        pytest.skip("real CMU-MOSI files are not here (../shared/data)")
    return folder


@pytest.fixture(scope="session")
def random_bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Hugging Face folder: a random BERT, 32 wide, two layers, with MiniLM's vocabulary."""
    import torch
    from transformers import AutoTokenizer, BertConfig, BertModel

    from amb.model.backbone_source import locate

    folder = tmp_path_factory.mktemp("random_bert")
    config = BertConfig(
        hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        BertModel(config).save_pretrained(folder)
    AutoTokenizer.from_pretrained(locate("minilm")[0]).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory, random_bert: Path) -> TinyStudy:
    """The tiny study with its store and backbone prepared by the command line."""
    from amb.cli import main

    folder = tmp_path_factory.mktemp("tiny")
    file, store, backbone = folder / "tiny.yaml", folder / "store", folder / "backbone"
    file.write_text(yaml.safe_dump(tiny_study_content(str(random_bert)), sort_keys=False))
    assert main(["data", "prepare", "--study", str(file), "--out", str(store)]) == 0
    assert main(["backbone", "--study", str(file), "--out", str(backbone)]) == 0
    return TinyStudy(file, store, backbone, random_bert)
