import markdown_it
import numpy as np
import pandas as pd
import pytest

from amb.errors import InputError
from amb.reporting.tables import captions
from amb.reporting.tables.comparison import (
    markdown_comparison,
    read_comparison,
    tidy_comparison,
    write_comparison,
)
from amb.reporting.tables.comparison_grids import differences_by_metric, means_grid


def cells(table: pd.DataFrame) -> dict[tuple[str, str], str]:
    """Return the cells of the means by label and metric."""
    grid = means_grid(table)
    metrics = list(table["metric"].unique())
    return {(row[0], metric): row[1 + i] for row in grid.rows for i, metric in enumerate(metrics)}


def with_rows(table: pd.DataFrame, method: str, metric: str, **values: object) -> pd.DataFrame:
    changed = table.copy()
    rows = (changed["method"] == method) & (changed["metric"] == metric)
    for column, value in values.items():
        changed.loc[rows, column] = value
    return changed


def test_rows_follow_the_study_and_not_the_frames(results):
    table = tidy_comparison(
        results.read("summary").sample(frac=1, random_state=1),
        results.read("comparison").sample(frac=1, random_state=1),
        results.read("pairs").sample(frac=1, random_state=1),
        results.parameters(),
        results.labels,
        results.study.statistics,
    )
    assert list(table["method"].unique()) == list(results.labels)
    assert list(table["metric"].unique()) == list(results.study.statistics.metrics)
    pd.testing.assert_frame_equal(table, results.table())


def test_marks_stand_only_where_the_test_is_significant(table):
    table = with_rows(table, "amb", "corr", population_significant=True)
    table = with_rows(table, "amb", "mae", fixed_set_significant=False)
    shown = cells(table)
    for row in table.itertuples():
        text = shown[row.label, row.metric]
        assert ("*" in text) == row.fixed_set_significant
        assert ("†" in text) == row.population_significant
    assert shown["AMB", "corr"].endswith(" *†")
    assert shown["AMB", "mae"].endswith("0.008")


def test_bold_is_all_that_ties_with_the_best_at_the_scope_of_other_videos(table):
    table = table.assign(population_tied_with_best=table["method"].isin(["amb", "late_fusion"]))
    grid = means_grid(table)
    assert {row for row, _ in grid.bold} == {0, 3}
    assert {place for _, place in grid.bold} == {1, 2, 3, 4, 5}
    assert f"**{grid.rows[0][1].replace('*', chr(92) + '*')}**" in markdown_comparison(table)
    assert "for other videos (two-way jackknife t between all pairs of rows, Holm, 6 pairs" in (
        captions.means_caption(table)
    )


def test_lone_row_is_not_bold(make_results):
    table = make_results(labels={"finetuned_fusion": "Only one"}).table()
    assert not means_grid(table).bold
    assert "Bold" not in captions.means_caption(table)


def test_mde_stands_exactly_where_no_difference_was_found(table):
    for _, grid in differences_by_metric(table):
        for row in grid.rows:
            significant = row[4].endswith(("*", "†"))
            assert (row[-1] == "—") == significant


def test_both_scopes_of_every_difference_are_shown(table):
    grids = differences_by_metric(table)
    assert [metric.name for metric, _ in grids] == list(table["metric"].unique())
    for _, grid in grids:
        assert [row[1] for row in grid.rows] == ["this test set", "other videos"] * 3


def test_gain_of_accuracy_is_in_percentage_points_and_relative_gain_in_percent(table):
    table = with_rows(table, "amb", "mae", fixed_set_form="relative", fixed_set_estimate=0.034)
    rows = {metric.name: grid.rows[0] for metric, grid in differences_by_metric(table)}
    assert rows["mae"][2] == "+3.4 %"
    gain = table.query("method == 'amb' and metric == 'acc7'")["fixed_set_estimate"].iloc[0]
    assert rows["acc7"][2] == f"+{100 * gain:.1f} pp"


def test_undefined_metric_is_not_zero(table):
    nan = float("nan")
    undefined = with_rows(table, "amb", "corr", mean=nan, ci_low=nan, ci_high=nan)
    assert cells(undefined)["AMB", "corr"].startswith("undefined")
    assert "not zero" in captions.means_caption(undefined)
    assert "Undefined" not in captions.means_caption(table)


def test_single_seed_has_neither_interval_nor_mark_and_the_caption_says_so(make_results):
    table = make_results(seeds={"late_fusion": 1}).table()
    label = "Fine-tuned BERT, late fusion (A & V_concat, 50 %)"
    assert cells(table)[label, "mae"].endswith(" ± —")
    rows = [grid.rows[-2:] for _, grid in differences_by_metric(table)]
    assert all(row[3:] == ("—", "—", "—") for pair in rows for row in pair)
    caption = captions.means_caption(table)
    assert "No test, and so no mark, was possible" in caption
    assert f"metric) for {label}." in caption
    assert "counts as not distinguishable: some pair of AMB" in caption


def test_caption_names_the_metric_that_could_not_be_tested(table):
    untested = with_rows(table, "amb", "corr", fixed_set_p_adjusted=float("nan"))
    assert "metric) for AMB (Corr)." in captions.means_caption(untested)


def test_caption_states_data_tests_correction_and_seeds(table):
    caption = captions.means_caption(table)
    for part in (
        "400 utterances of 40 videos (Acc-2 (non-0): 380 utterances)",
        "95 % t interval over seeds",
        "Seeds: 10 (AMB; ",
        "3 (Fine-tuned BERT, late fusion",
        "tested against Fine-tuned BERT + layer-wise fusion",
        "Welch t over seeds, adjusted p < 0.05",
        "two-way jackknife t, adjusted p < 0.05",
        "Holm, 15 comparisons",
    ):
        assert part in caption


def test_markdown_tables_keep_their_columns(results):
    text = markdown_comparison(results.table())
    tables = parsed_tables(text)
    assert len(tables) == 6
    assert [len(row) for row in tables[0]] == [9] * 5
    assert all(len(row) == 6 for table in tables[1:] for row in table)
    assert tables[0][4][0] == "Fine-tuned BERT, late fusion (A & V_concat, 50 %)"


def test_pipes_and_markup_in_a_label_stay_text(make_results):
    labels = {"amb": "A|B *x* <b> `c` $d$", "finetuned_fusion": "[l](u) & _m_"}
    tables = parsed_tables(markdown_comparison(make_results(labels=labels).table()))
    assert [row[0] for row in tables[0][1:]] == list(labels.values())


def test_csv_is_unrounded_and_renders_the_same_again(results, tmp_path):
    table = results.table()
    write_comparison(tmp_path, table)
    again = read_comparison(tmp_path / "comparison.csv")
    assert markdown_comparison(again) == (tmp_path / "comparison.md").read_text(encoding="utf-8")
    summary = results.read("summary").set_index(["method", "metric"])["mean"]
    mean = again.set_index(["method", "metric"])["mean"]
    np.testing.assert_array_equal(mean.to_numpy(), summary.loc[mean.index].to_numpy())


def test_study_with_the_reference_alone_has_no_differences(make_results):
    table = make_results(labels={"finetuned_fusion": "Only one"}).table()
    assert differences_by_metric(table) == []
    assert "no second method" in markdown_comparison(table)


def test_missing_row_and_foreign_reference_are_input_errors(results):
    arguments = (
        *(results.read("pairs"), results.parameters()),
        *(results.labels, results.study.statistics),
    )
    summary, comparison = results.read("summary"), results.read("comparison")
    lacking = summary[~((summary["method"] == "amb") & (summary["metric"] == "corr"))]
    with pytest.raises(InputError, match=r"summary.csv.*one for amb, corr"):
        tidy_comparison(lacking, comparison, *arguments)
    with pytest.raises(InputError, match="'late_fusion', expected finetuned_fusion"):
        tidy_comparison(summary, comparison.assign(reference="late_fusion"), *arguments)


def parsed_tables(text: str) -> list[list[list[str]]]:
    """Return the tables of a Markdown page as a parser of its own reads them."""
    tables: list[list[list[str]]] = []
    tokens = markdown_it.MarkdownIt("commonmark").enable("table").parse(text)
    for token, before in zip(tokens[1:], tokens, strict=False):
        if token.type == "thead_open":
            tables.append([])
        elif token.type == "tr_open":
            tables[-1].append([])
        elif before.type in ("th_open", "td_open"):
            tables[-1][-1].append("".join(child.content for child in token.children))
    return tables
