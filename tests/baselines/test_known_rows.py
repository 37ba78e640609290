"""Rows of known result, from training to predictions, for real."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from amb.data.batches import SplitData
from amb.data.ragged_tensor import RaggedTensor
from amb.evaluation.predict import evaluate_seed
from amb.files import read_json
from amb.training.job import Job
from amb.training.run import open_context, run_seed
from baselines.majority_class import MajorityClass
from baselines.mean_predictor import MeanPredictor


def labelled(*labels):
    lengths = torch.ones(len(labels), dtype=torch.int64)
    text = RaggedTensor(torch.zeros(len(labels), dtype=torch.int64), lengths.cumsum(0) - 1, lengths)
    return SplitData([f"v[{i}]" for i in range(len(labels))], text, text, {}, torch.tensor(labels))


def fitted_prediction(model, *labels):
    data = labelled(*labels)
    model.begin_training(data)
    predictions = model(data.batch(torch.arange(len(data))))
    assert predictions.shape == (len(data),)
    assert len(set(predictions.tolist())) == 1
    return predictions[0].item()


def test_the_mean_is_that_of_the_training_labels():
    assert fitted_prediction(MeanPredictor(), 1.0, -2.0, 2.5) == 0.5


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ((1.2, 0.8, -2.0), 1.0),
        ((3.4, 5.0, 0.0), 3.0),  # beyond ±3 counts as ±3
        ((0.5, 1.5, 2.5, 2.0), 2.0),  # half to even: 0, 2, 2, 2
        ((2.0, 2.0, -1.0, -1.0), -1.0),  # a tie goes to the one nearest 0 …
        ((2.0, -2.0, 3.0), -2.0),  # … and then down
    ],
)
def test_the_majority_is_that_of_the_seven_training_classes(labels, expected):
    assert fitted_prediction(MajorityClass(), *labels) == expected


@pytest.fixture
def predictions_of(tiny, tmp_path):
    """Train and evaluate one row of the tiny study, added to it."""

    def train_and_evaluate(name):
        content = tiny.file.read_text(encoding="utf-8")
        file = tmp_path / "study.yaml"
        file.write_text(content.replace("methods:\n", f"methods:\n  {name}: {{}}\n"))
        job = Job(file, tiny.store, tiny.backbone, name, tmp_path / "runs", "cpu")
        open_context.cache_clear()
        run_seed(job, 1111, lambda _: None)
        evaluate_seed(job, 1111)
        record = read_json(job.folder(1111) / "run.json")
        assert record["stopped"] == "closed form"
        assert record["parameters"] == {"total": 1, "trainable": 1}
        return pd.read_parquet(job.folder(1111) / "predictions.parquet")

    return train_and_evaluate


def test_the_oracle_is_right_about_every_utterance_of_every_split(predictions_of):
    frame = predictions_of("label_oracle")
    assert frame.groupby("split").size().to_dict() == {"train": 36, "valid": 18, "test": 24}
    np.testing.assert_array_equal(frame["prediction"], frame["label"])


def test_constants_are_the_same_in_every_split(predictions_of):
    mean = predictions_of("mean_predictor")
    train = mean.loc[mean["split"] == "train", "label"]
    assert mean["prediction"].nunique() == 1
    assert mean["prediction"].iloc[0] == pytest.approx(train.mean(), abs=1e-6)
    majority = predictions_of("majority_class")
    assert set(majority["prediction"]) <= {-3, -2, -1, 0, 1, 2, 3}
    assert majority["prediction"].nunique() == 1
