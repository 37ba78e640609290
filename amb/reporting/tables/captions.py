"""Captions generated from the data: tests, correction, counts and what the marks mean."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from amb.reporting.inputs import SCOPES
from amb.reporting.tables.comparison_grids import MARKS, SCOPE_LABELS, TIES_SCOPE, metrics_of

MEANS_TITLE = "Comparison of all methods on the test split."
DIFFERENCES_TITLE = "Differences to the reference, at both scopes."
TIES_TITLE = "Rows that cannot be told apart, at both scopes."


def means_caption(table: pd.DataFrame) -> str:
    """Return what a reader of the table of means must know.

    Args:
        table: The tidy comparison.

    Returns:
        Plain sentences: items and seeds, interval, directions, tests, correction, marks.
    """
    percent = f"{100 * (1 - table['alpha'].iloc[0]):g} %"
    sentences = [
        f"Test split: {items_text(table)}.",
        f"Mean over seeds ± half-width of the {percent} t interval over seeds; the interval is "
        "over seeds only and does not cover the choice of test utterances.",
        "↓: lower is better, ↑: higher is better.",
        seeds_text(table),
        *_trials_sentences(table),
        *_tests_sentences(table),
        *_bold_sentences(table),
        *_undefined_sentences(table),
    ]
    return " ".join(sentences)


def differences_caption(table: pd.DataFrame) -> str:
    """Return what a reader of the table of differences must know.

    Args:
        table: The tidy comparison.

    Returns:
        Plain sentences: sign and unit of the effect, the two scopes, correction, the MDE.
    """
    return " ".join(
        [
            f"Gain over {_reference_label(table)}; positive is better, whatever the metric's "
            f"direction.{_units_text(table)}",
            f"“{SCOPE_LABELS['fixed_set'].capitalize()}”: would other seeds show the difference "
            f"on the same test items; “{SCOPE_LABELS['population']}”: would it show on utterances "
            "of other videos too (seeds and videos random).",
            "Intervals are not corrected; p-values are. MDE (minimum detectable effect): the "
            "smallest difference that the test finds with 80 % power, before correction; given "
            "where no difference was found.",
            *_correction_sentences(table),
        ]
    )


def ties_caption(table: pd.DataFrame) -> str:
    """Return what a reader of the letters must know.

    Args:
        table: The tidy comparison.

    Returns:
        Plain sentences: what a shared letter says, tests, correction, items and seeds.
    """
    scopes = [
        f"“{SCOPE_LABELS[scope].capitalize()}”: {pairs_test_text(table, scope)}" for scope in SCOPES
    ]
    return " ".join(
        [
            "Two rows that share a letter in a column are not distinguishable there; a stands at "
            "the best mean, and rows in bold share the best place. Not distinguishable does not "
            "mean equal.",
            f"Test split: {items_text(table)}.",
            seeds_text(table),
            f"{'. '.join(scopes)}. Two-sided, adjusted p < {table['alpha'].iloc[0]:g}.",
            *_untested_pairs_sentences(table, SCOPES),
        ]
    )


def pairs_test_text(table: pd.DataFrame, scope: str) -> str:
    """Return test and correction of all pairs in one scope."""
    test = "; ".join(_distinct(table[f"{scope}_test"])) or "no test"
    corrections = _distinct(table[f"{scope}_pairs_correction"])
    return f"{test} between all pairs of rows, {' or '.join(corrections) or 'none tested'} a metric"


def items_text(table: pd.DataFrame) -> str:
    """Return how many utterances and videos stand behind the table, by metric if they differ."""
    most = table["n_items"].max()
    text = f"{most:.0f} utterances of {table['n_videos'].max():.0f} videos"
    fewer: dict[int, list[str]] = {}
    for metric in metrics_of(table):
        items = table.loc[table["metric"] == metric.name, "n_items"].max()
        if items < most:
            fewer.setdefault(int(items), []).append(metric.label)
    parts = [f"{' and '.join(labels)}: {items}" for items, labels in fewer.items()]
    return text + (f" ({'; '.join(parts)} utterances)" if parts else "")


def seeds_text(table: pd.DataFrame) -> str:
    """Return how many seeds each method has, as a sentence."""
    seeds = table.groupby("label", sort=False)["seeds"].max().astype(int)
    if seeds.nunique() == 1:
        return f"Seeds: {seeds.iloc[0]} a method."
    groups = [
        f"{count} ({'; '.join(str(label) for label in seeds.index[seeds == count])})"
        for count in sorted(seeds.unique(), reverse=True)
    ]
    return f"Seeds: {', '.join(groups)}."


def _trials_sentences(table: pd.DataFrame) -> list[str]:
    if "trials" not in table.columns:
        return []
    return ["Trials: recipes that were tried for the row, on the validation split only."]


def _reference_label(table: pd.DataFrame) -> str:
    return str(table.loc[table["method"] == table["reference"], "label"].iloc[0])


def _tests_sentences(table: pd.DataFrame) -> list[str]:
    others = table[table["method"] != table["reference"]]
    if others.empty:
        return ["There is no second method to test against."]
    alpha = f"{table['alpha'].iloc[0]:g}"
    sentences = [f"Every other method is tested against {_reference_label(table)}."]
    for scope, sense in (
        ("fixed_set", "differs, for better or worse, on this test set (only seeds random)"),
        ("population", "differs for other videos too (seeds and videos random)"),
    ):
        tests = "; ".join(_distinct(others[f"{scope}_test"])) or "no test"
        sentences.append(f"Mark {MARKS[scope]}: {sense}; {tests}, adjusted p < {alpha}.")
    sentences += _correction_sentences(table)
    sentences.append("No mark does not mean equal: see the MDE beside the differences.")
    untested = others[others["fixed_set_p_adjusted"].isna()]
    if len(untested):
        sentences.append(
            "No test, and so no mark, was possible (fewer than two seeds, or an undefined "
            f"metric) for {'; '.join(_untested_names(untested, len(metrics_of(table))))}."
        )
    return sentences


def _bold_sentences(table: pd.DataFrame) -> list[str]:
    """Say what bold means; there is none where there is nothing to tie."""
    if not table[f"{TIES_SCOPE}_tied_with_best"].any():
        return []
    return [
        f"Bold: not distinguishable from the best mean of the column for {SCOPE_LABELS[TIES_SCOPE]}"
        f" ({pairs_test_text(table, TIES_SCOPE)}); the ties table has the groups of both scopes.",
        *_untested_pairs_sentences(table, (TIES_SCOPE,)),
    ]


def _untested_pairs_sentences(table: pd.DataFrame, scopes: Sequence[str]) -> list[str]:
    flags = table[[f"{scope}_untested" for scope in scopes]].any(axis=1)
    if not flags.any():
        return []
    names = _untested_names(table[flags], len(metrics_of(table)))
    return [
        "What could not be tested (fewer than two seeds, or runs that do not differ) counts as not "
        f"distinguishable: some pair of {'; '.join(names)}."
    ]


def _correction_sentences(table: pd.DataFrame) -> list[str]:
    corrections = _distinct(pd.concat([table[f"{scope}_correction"] for scope in SCOPES]))
    return [f"Correction within each scope: {'; '.join(corrections)}."] if corrections else []


def _undefined_sentences(table: pd.DataFrame) -> list[str]:
    if not table["mean"].isna().any():
        return []
    return [
        "Undefined: at least one seed has no such value (constant predictions have no "
        "correlation); it is not zero."
    ]


def _units_text(table: pd.DataFrame) -> str:
    forms = set(table["fixed_set_form"])
    points = "difference" in forms and any(metric.percent for metric in metrics_of(table))
    texts = [" In %: relative to the reference." if "relative" in forms else ""]
    texts.append(" pp: percentage points." if points else "")
    return "".join(texts)


def _untested_names(untested: pd.DataFrame, metrics: int) -> list[str]:
    """Return the labels of untested methods, with their metrics where only some are untested."""
    return [
        f"{label}"
        + (f" ({', '.join(m.label for m in metrics_of(own))})" if len(own) < metrics else "")
        for label, own in untested.groupby("label", sort=False)
    ]


def _distinct(column: pd.Series) -> list[str]:
    return [str(value) for value in column.unique() if value]
