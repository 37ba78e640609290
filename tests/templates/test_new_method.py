"""``amb new method``: the file it writes is a method that works, under a name that can be used."""

from __future__ import annotations

import importlib

import pytest
import yaml

import baselines
from amb.cli import main
from amb.errors import InputError
from amb.source_graph import ROOT
from amb.templates.new_method import class_name, write_method
from amb.training.check import check_method
from amb.training.job import Job


@pytest.fixture
def checkout(tmp_path):
    (tmp_path / "baselines").mkdir()
    (tmp_path / "pyproject.toml").touch()
    return tmp_path


def test_the_file_builds_a_method_of_that_name_that_passes_the_check(checkout, tiny, monkeypatch):
    file = write_method("gated_2_sum", checkout)
    assert file == checkout / "baselines" / "gated_2_sum.py"
    text = file.read_text(encoding="utf-8")
    assert "my_method" not in text
    assert "MyMethod" not in text
    monkeypatch.setattr(baselines, "__path__", [*baselines.__path__, str(file.parent)])
    module = importlib.import_module("baselines.gated_2_sum")
    assert module.NAME == "gated_2_sum"
    assert module.Gated2Sum.__module__ == "baselines.gated_2_sum"
    content = yaml.safe_load(tiny.file.read_text())
    rows = {"gated_2_sum": {}, "trained": {"builder": "gated_2_sum", "options": {"finetune": True}}}
    content["methods"].update(rows)
    study = checkout / "study.yaml"
    study.write_text(yaml.safe_dump(content))
    found = {
        row: check_method(Job(study, tiny.store, tiny.backbone, row, checkout, "cpu"))
        for row in rows
    }
    assert found["gated_2_sum"]["reads"] == ["text", "audio", "visual"]
    assert found["gated_2_sum"]["trainable"] < found["trained"]["trainable"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("My-Method", "found 'My-Method', expected a name of Python"),
        ("2fast", "found '2fast', expected a name of Python"),
        ("", "expected a name of Python"),
        ("../evil", "expected a name of Python"),
        ("class", "found 'class', expected a name of Python"),
        ("a" * 65, "at most 64"),
        ("yes", "found 'yes', expected a name that YAML does not read as a value"),
        ("amb", "found 'amb', expected a name that no preset has"),
        ("mag_bert_mosi", "found 'mag_bert_mosi', expected a name that no preset has"),
    ],
)
def test_names_that_cannot_be_used_are_refused(checkout, name, message):
    with pytest.raises(InputError, match=message):
        write_method(name, checkout)
    assert list((checkout / "baselines").iterdir()) == []


def test_a_file_that_exists_is_left_alone(capsys):
    before = (ROOT / "baselines" / "mult.py").read_bytes()
    assert main(["new", "method", "mult"]) == 2
    assert "baselines/mult.py: file: found 'it exists'" in capsys.readouterr().err
    assert (ROOT / "baselines" / "mult.py").read_bytes() == before


def test_outside_a_checkout_nothing_is_written(tmp_path):
    with pytest.raises(InputError, match="expected a checkout of the suite"):
        write_method("my_method", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_command_says_what_comes_next(checkout, monkeypatch, capsys):
    monkeypatch.setattr("amb.templates.new_method.write_method.__defaults__", (checkout,))
    assert main(["new", "method", "slow_fusion"]) == 0
    printed = capsys.readouterr().out
    row = next(line for line in printed.splitlines() if line.startswith("  slow_fusion:"))
    assert yaml.safe_load(row) == {"slow_fusion": {"label": "Slow fusion"}}
    assert "python -m pytest tests/baselines -k slow_fusion" in printed


def test_a_class_is_named_as_classes_are():
    assert class_name("my_new_method") == "MyNewMethod"
