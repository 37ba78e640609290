"""Methods that are really bad: each is refused before training, with file, fault and remedy."""

from __future__ import annotations

import dataclasses

import pytest
import torch
import yaml

import baselines
from amb.cli import main
from amb.data.frames import Frames
from amb.errors import InputError
from amb.files import read_json
from amb.templates.new_method import TEMPLATE
from amb.training.check import check_method
from amb.training.job import Job
from amb.training.run import build_model, open_context, run_seed
from amb.training.trial.accused import Accused
from amb.training.trial.learning import require_gradients

JOINT = "joint = self.text(layout.pool(hidden_states, self.pooling))"
OUT = "return sentiment"
LAST = "sentiment: Tensor = self.head(torch.relu(joint))"
INIT = "self.head = LinearHead(units, dropout)"
BUILT = "return MyMethod(encoder,"
LOSS = "def loss(self, batch):\n        return "

# What of the template is replaced by what, and what the error says.
FAULTS = {
    "raises": (JOINT, JOINT + "[:, :3] @ joint",
               r"UnboundLocal.*Line \d+: `joint = .*`.*token_ids \(7, \d+\), frames\['audio'\]"),
    "shapes": (JOINT, JOINT.replace("self.text(", "self.text(hidden_states[:2, :5] + "),
               r"forward.*RuntimeError: The size of tensor.*Line \d+: `joint = self.text"),
    "column": (LAST, LAST + ".unsqueeze(-1)",
               r"forward: shape .*found \(7, 1\), expected \(7,\).*squeeze\(-1\)"),
    "scalar": (OUT, "return sentiment.mean()", r"forward: shape .*found \(\), expected \(7,\)"),
    "tuple": (OUT, "return sentiment, joint", r"forward .*found 'tuple', expected a tensor \(7,\)"),
    "double": (OUT, "return sentiment.double()",
               r"forward: dtype .*found 'torch.float64', expected torch.float32"),
    "nan": (OUT, "return torch.log(sentiment - 100)",
            r"forward: predictions .*nan.*expected finite numbers.*in forward\(\) itself"),
    "nan_module": (INIT, INIT + "; nn.init.constant_(self.frames['audio'].weight, float('inf'))",
                   r"first module to return NaN or an infinite number is frames.audio"),
    "labels": (OUT, "return sentiment if batch.labels is None else sentiment + 0.1 * batch.labels",
               r"found 'predictions that change with batch.labels, in evaluation mode'"),
    "labels_in_training": (
        OUT, "return sentiment if batch.labels is None or not self.training"
        " else sentiment + batch.labels", r"change with batch.labels, in training mode"),
    "labels_needed": (OUT, "return sentiment + 0.1 * batch.labels",
                      r"forward.*TypeError.*without labels: batch.labels is None where a model"),
    "shown_labels": ("def __init__", "reads_labels = True\n\n    def __init__",
                     r"MyMethod.reads_labels .*found True, expected False.*test split"),
    "firewall": ("import torch\n", "import torch\nfrom amb.data.firewall import read_test_labels\n",
                 r"imports .*found 'amb.data.firewall.*no way to the labels of the test split"),
    "order": (OUT, "return sentiment + 0.1 * torch.arange(len(sentiment))",
              r"predictions that move by 0.6 with the order of the batch"),
    "padding": ("mean_over_frames(frames.values, frames.mask)", "frames.values.mean(1)",
                r"with what stands in the padding.*frames\[…\].mask"),
    "others": (LAST, "joint = joint - joint.mean(0)\n        " + LAST,
               r"with the other utterances of the batch"),
    "unused": (INIT, INIT + "; self.unused = nn.Linear(3, 1)",
               r"parameters without a gradient .*found \['unused.weight', 'unused.bias'\]"),
    "detached": (JOINT, JOINT + ".detach()",
                 r"parameters without a gradient .*\['text.weight', 'text.bias'\].*detach\(\)"),
    "multiplied_by_0": (JOINT, JOINT + " * 0",
                        r"parameters without a gradient .*\['text.bias', 'text.weight'\]"),
    "all_frozen": (INIT, INIT + "; self.requires_grad_(False)",
                   r"trainable parameters .*found 0, expected at least one"),
    "root_at_0": (LAST, "joint = joint + torch.sqrt(joint - joint)\n        " + LAST,
                  r"gradients of .*'text.weight'.*expected finite numbers.*add an ε"),
    "loss_a_vector": ("def forward", LOSS + "(self(batch) - batch.labels).abs()\n\n    def forward",
                      r"loss .*found \(7,\), expected a scalar"),
    "loss_nan": ("def forward", LOSS + "(self(batch) - batch.labels - 100).mean().log()"
                 "\n\n    def forward", r"loss .*found nan, expected a finite number"),
    "loss_raises": ("def forward", LOSS + "self(batch).no_such_thing\n\n    def forward",
                    r"loss .*AttributeError.*Line \d+: `return self\(batch\).no_such_thing`"),
    "not_saved": (INIT, INIT + "; self.offset = torch.randn(1)",
                  r"checkpoint .*once loaded.*register_buffer"),
    "builds_nothing": (BUILT, "return nn.Linear(3, 1)  # ",
                       r"build: found 'Linear', expected a SentimentModel"),
    "build_raises": (BUILT, "return MyMethod(encoder.no_such_thing,",
                     r"build .*AttributeError.*Line \d+: `return MyMethod"),
}  # fmt: skip


@pytest.fixture
def job_of(tiny, tmp_path, monkeypatch):
    """A job of a method with this source, in a file that is found as those of baselines/ are."""
    monkeypatch.setattr(baselines, "__path__", [*baselines.__path__, str(tmp_path / "own")])

    def write(name, source):
        (tmp_path / "own").mkdir()
        (tmp_path / "own" / f"{name}.py").write_text(source, encoding="utf-8")
        content = yaml.safe_load(tiny.file.read_text())
        content["methods"][name] = {}
        file = tmp_path / "study.yaml"
        file.write_text(yaml.safe_dump(content))
        return Job(file, tiny.store, tiny.backbone, name, tmp_path / "runs", "cpu")

    return write


def with_fault(fault):
    """The template with a fault; its file has a name of its own, so that none is imported twice."""
    old, new, message = FAULTS[fault]
    source = TEMPLATE.read_text(encoding="utf-8")
    assert source.count(old) == 1
    source = source.replace(old, new)
    if fault == "not_saved":
        source = source.replace(OUT, "return sentiment + self.offset")
    return source, message


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_method_is_explained(job_of, fault, tmp_path):
    source, message = with_fault(fault)
    name = f"bad_{fault}"
    with pytest.raises(InputError, match=message) as caught:
        check_method(job_of(name, source))
    assert caught.value.file.endswith(f"{name}.py")
    assert caught.value.hint or fault == "builds_nothing"


def test_the_commands_refuse_it_and_nothing_trains(job_of, tmp_path, capsys):
    job = job_of("bad_command", with_fault("column")[0])
    inputs = ["--study", str(job.study_file), "--store", str(job.store)]
    inputs += ["--backbone", str(job.backbone)]
    assert main(["check", *inputs, "--out", str(tmp_path / "methods.json")]) == 2
    training = ["--method", "bad_command", "--seeds", "1111", "--runs", str(job.runs)]
    assert main(["train", *inputs, *training]) == 2
    for line in capsys.readouterr().err.splitlines():
        assert "bad_command.py: forward: shape (row bad_command): found (7, 1)" in line
    assert not job.runs.exists()


def test_a_run_has_the_bits_that_it_has_without_the_check(tiny, tmp_path):
    job = Job(tiny.file, tiny.store, tiny.backbone, "amb", tmp_path / "without", "cpu")
    run_seed(job, 1111, lambda epoch: None)
    inputs = ["--study", str(tiny.file), "--store", str(tiny.store)]
    inputs += ["--backbone", str(tiny.backbone), "--method", "amb", "--seeds", "1111"]
    assert main(["train", *inputs, "--runs", str(tmp_path / "with"), "--gpus", "0"]) == 0
    without, checked = (
        read_json(tmp_path / runs / "amb" / "seed1111" / "run.json") for runs in ("without", "with")
    )
    assert checked["checkpoint_sha256"] == without["checkpoint_sha256"]


def test_a_loss_that_looks_at_the_batch_is_no_fault(job_of):
    loss = (
        LOSS + "(self(batch) - batch.labels + self(batch).mean()).abs().mean()\n\n    def forward"
    )
    source = TEMPLATE.read_text(encoding="utf-8").replace("def forward", loss)
    assert check_method(job_of("good_loss", source))["reads"] == ["text", "audio", "visual"]


def with_one_frame(batch):
    """A batch whose utterances have one frame each, as utterance-level features do."""
    frames = {name: Frames(f.values[:, :1], f.mask[:, :1]) for name, f in batch.frames.items()}
    return dataclasses.replace(batch, frames=frames)


def test_utterance_level_features_give_recurrence_and_attention_nothing_to_learn(tiny, tmp_path):
    """Over one frame, weights of attention and recurrence have a gradient of 0: no fault."""
    row = "finetuned_late"
    job = Job(tiny.file, tiny.store, tiny.backbone, row, tmp_path / "runs", "cpu")
    context = open_context(job)
    batch = with_one_frame(context.splits["train"].batch(torch.arange(7)))
    accused, model = Accused(row, row), build_model(job, 1)
    require_gradients(accused, model.train(), batch, context.study.methods[row].training)


def test_a_fault_shows_with_utterance_level_features_too(job_of):
    job = job_of("bad_single_frame", with_fault("multiplied_by_0")[0])
    context = open_context(job)
    batch = with_one_frame(context.splits["train"].batch(torch.arange(7)))
    accused, model = Accused(job.method, job.method), build_model(job, 1)
    settings = context.study.methods[job.method].training
    with pytest.raises(InputError, match=r"\['text.bias', 'text.weight'\]"):
        require_gradients(accused, model.train(), batch, settings)
