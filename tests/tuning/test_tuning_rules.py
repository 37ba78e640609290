"""The rules of tuning: there where a study tunes, and blind to test labels."""

from __future__ import annotations


def test_a_study_that_applies_tuning_trains_with_tuned_studies(plan, tmp_path, tuned_study):
    jobs = plan(tmp_path, tuned_study(apply=True))
    searches = {"tune_amb", "tune_finetuned_fusion", "tune_finetuned_text", "tune_finetuned_late"}
    assert {rule for rule in jobs if rule.startswith("tune")} == searches
    assert not any("labels.test" in jobs[rule] for rule in searches)
    recipe = "results/tiny/tuned/amb.yaml"
    for rule in ("train_amb_0", "evaluate_amb_0", "train_amb_shuffled_0"):
        assert recipe in jobs[rule].split("output:")[0]
        assert f"--study {recipe}" in jobs[rule]
    assert "--tuned results/tiny/tuned" in jobs["render_tables"]
    assert "draw_expected_maximum" in jobs


def test_a_study_that_only_tunes_trains_as_it_says_itself(plan, tmp_path, tuned_study):
    file = tuned_study(sampler="tpe")
    jobs = plan(tmp_path, file)
    assert "tune_amb" in jobs
    assert f"--study {file}" in jobs["train_amb_0"]
    assert "--tuned" not in jobs["render_tables"]
    assert "draw_expected_maximum" not in jobs


def test_a_plain_study_has_none_of_this(plan, tmp_path, tiny):
    assert not [rule for rule in plan(tmp_path, tiny.file) if rule.startswith("tune")]
