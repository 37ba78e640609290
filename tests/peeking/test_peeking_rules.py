"""What peeking writes feeds nothing: no rule but its own has it as an input or an output."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_no_other_rule_reads_or_writes_what_peeking_writes(plan, tmp_path, tiny):
    everything = plan(tmp_path, tiny.file)
    assert not [rule for rule, lines in everything.items() if "peek" in rule + lines]
    peeking = plan(tmp_path, tiny.file, "peek")
    own = {rule for rule in peeking if rule.startswith("peek")}
    assert own == {"peek", "peek_amb", "peek_finetuned_fusion", "peek_finetuned_text",
                   "peek_finetuned_late"}  # fmt: skip
    for rule, lines in peeking.items():
        assert ("/peek/" in lines) == (rule in own), rule
    # It needs no run, and so makes none stale.
    assert not [rule for rule in peeking if rule.startswith(("train", "evaluate"))]
    for file in (ROOT / "workflow" / "rules").glob("*.smk"):
        # Where rules run is no matter of what they read.
        assert file.stem in ("peek", "local") or "peek" not in file.read_text("utf-8"), file


def test_test_labels_are_an_input_of_evaluation_and_of_peeking_alone(plan, tmp_path, tiny):
    jobs = {**plan(tmp_path, tiny.file), **plan(tmp_path, tiny.file, "peek")}
    readers = {
        rule.split("_")[0]
        for rule, lines in jobs.items()
        if "labels.test" in lines.split("output:")[0] and rule != "all"
    }
    assert readers == {"evaluate", "peek"}
