"""The steps right of the predictions, as commands: what is made of a study, in order.

They are the commands of the workflow's rules; a test holds both lists together. A new step is one
entry of ``STEPS``. In its command stand

    {runs}     the folder of runs: predictions, records, curves
    {config}   the folder of study.yaml, the claims file and published.csv
    {inputs}   the folder above both, with methods.json, tuned/ and speed/
    {out}      the folder that everything is made in; later steps read there what earlier ones made,
               and beside that what {inputs} holds
    {name}     an entry of ``STEP_OPTIONS``: nothing, or options that depend on the study
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from amb.family import tuning_by_fusion, where_and_how
from amb.reporting.figures.figure_list import FIGURES, FigureKind
from amb.study import Study

PICTURES = (".png", ".pdf")
# Drawn by steps of their own, beside tables.
DRAWN_APART = ("robustness", "expected_maximum")

Condition = Callable[[Study], bool]


def _always(_: Study) -> bool:
    return True


def _has_controls(study: Study) -> bool:
    return bool(study.control_rows())


def _has_known_answer(study: Study) -> bool:
    return bool(study.data["reader"] == "demo")


def _has_corruption(study: Study) -> bool:
    return study.corruption is not None


def _has_published(study: Study) -> bool:
    file = study.claims_file().parent / "published.csv"
    if study.dataset() is None or not file.is_file():
        return False
    from amb.statistics.published import read_published

    return study.dataset() in {number.dataset for number in read_published(file).numbers.values()}


def _draws_independent_trials(study: Study) -> bool:
    return study.tuning is not None and study.tuning.sampler == "random"


@dataclass(frozen=True)
class Step:
    """One command of ``amb``.

    Attributes:
        command: The command with its options, places in braces.
        makes: The files that it writes below {out}.
        when: Whether a study has this step.
    """

    command: str
    makes: tuple[str, ...]
    when: Condition = _always

    @property
    def only_draws(self) -> bool:
        """Whether all that it makes are figures."""
        return all(name.endswith(PICTURES) for name in self.makes)

    def arguments(self, study: Study, inputs: Path, out: Path) -> list[str]:
        """Return the command as a list of arguments, places filled in.

        Args:
            study: The study.
            inputs: The folder with ``runs``, ``config`` and what else steps read.
            out: The folder that steps write to.

        Returns:
            The arguments.
        """
        places = {
            "runs": inputs / "runs",
            "config": inputs / "config",
            "claims_file": study.claims_file().name,
            "inputs": inputs,
            "out": out,
        }
        filled: list[str] = []
        for word in self.command.split():
            if word in STEP_OPTIONS:
                filled += STEP_OPTIONS[word](study, inputs)
            else:
                filled.append(word.format(**places))
        return filled


def _searches(study: Study, inputs: Path) -> Sequence[str]:
    applied = study.tuning is not None and study.tuning.apply
    return ["--tuned", str(inputs / "tuned")] if applied else []


def _timings(_: Study, inputs: Path) -> Sequence[str]:
    return ["--speed", *map(str, sorted((inputs / "speed").glob("*.json")))]


# Options that depend on the study, by the word that stands for them in a command.
STEP_OPTIONS: dict[str, Callable[[Study, Path], Sequence[str]]] = {
    "{searches}": _searches,
    "{timings}": _timings,
}


def _kinds(name: str, *kinds: str) -> tuple[str, ...]:
    return tuple(f"{name}.{kind}" for kind in kinds)


def _table(name: str) -> tuple[str, ...]:
    return _kinds(f"tables/{name}", "csv", "md", "html", "tex")


def _ablation(name: str, has_cells: Condition) -> Step:
    return Step(
        f"ablation {_STUDY} --comparison {{out}}/tables/comparison.csv --pairs {{out}}/pairs.csv"
        f" --costs {{inputs}}/costs.csv --table {name} --out-dir {{out}}/tables",
        _table(name),
        has_cells,
    )


def _figure(figure: FigureKind) -> Step:
    return Step(
        f"figures {_STUDY} --results {{out}} --out-dir {{out}}/figures --only {figure.name}",
        _kinds(f"figures/{figure.name}", "png", "pdf"),
        figure.belongs_to,
    )


_STUDY = "--study {config}/study.yaml"
_READS = f"{_STUDY} --runs {{runs}}"

STEPS: tuple[Step, ...] = (
    Step(
        f"score {_READS} --out-scores {{out}}/scores.csv --out-summary {{out}}/summary.csv",
        ("scores.csv", "summary.csv"),
    ),
    Step(
        f"test {_READS} --out {{out}}/comparison.csv --out-pairs {{out}}/pairs.csv",
        ("comparison.csv", "pairs.csv"),
    ),
    Step(f"sensitivity {_READS} --out {{out}}/sensitivity.csv", ("sensitivity.csv",)),
    Step(
        f"controls {_READS} --out-json {{out}}/controls.json --out-dir {{out}}/tables",
        ("controls.json", *_table("controls")),
        _has_controls,
    ),
    Step(
        f"known-answer {_READS} --methods {{inputs}}/methods.json"
        " --out-json {out}/known_answer.json --out-dir {out}/tables",
        ("known_answer.json", *_table("known_answer")),
        _has_known_answer,
    ),
    Step(
        f"claims {_READS} --claims {{config}}/{{claims_file}} {{timings}}"
        " --out-json {out}/claims.json",
        ("claims.json",),
    ),
    Step(
        f"metrics rank-by-variant {_READS} --out {{out}}/tables",
        _table("metric_variants"),
    ),
    Step(
        f"robustness {_READS} --out {{out}}/robustness.csv",
        ("robustness.csv",),
        _has_corruption,
    ),
    Step(
        f"robustness-report {_STUDY} --robustness {{out}}/robustness.csv"
        " --tables {out}/tables --figures {out}/figures",
        (
            *_table("robustness"),
            *_kinds("figures/robustness", "png", "pdf"),
        ),
        _has_corruption,
    ),
    Step(
        f"tables {_STUDY} --summary {{out}}/summary.csv --comparison {{out}}/comparison.csv"
        " --pairs {out}/pairs.csv --runs {runs} --out-dir {out}/tables --claims {out}/claims.json"
        " --out-claims {out}/claims.md {searches}",
        (
            *_table("comparison"),
            *_table("ties"),
            *_kinds("claims", "md", "html", "tex"),
        ),
    ),
    Step(
        f"efficiency {_STUDY} --costs {{inputs}}/costs.csv --out-dir {{out}}/tables",
        _table("efficiency"),
    ),
    _ablation("ablation", lambda study: bool(tuning_by_fusion(study))),
    _ablation("fusion", lambda study: bool(where_and_how(study))),
    Step(
        f"published {_STUDY} --comparison {{out}}/tables/comparison.csv"
        " --published {config}/published.csv --out-dir {out}/tables",
        _table("published"),
        _has_published,
    ),
    *(_figure(figure) for figure in FIGURES if figure.name not in DRAWN_APART),
    Step(
        f"expected-maximum {_STUDY} --tuned {{inputs}}/tuned --out-dir {{out}}/figures",
        _kinds("figures/expected_maximum", "png", "pdf"),
        _draws_independent_trials,
    ),
)


def steps_of(study: Study) -> list[Step]:
    """Return the steps that a study has, in order."""
    return [step for step in STEPS if step.when(study)]


def files_of(study: Study) -> list[str]:
    """Return the files that the steps of a study make, in order."""
    return [name for step in steps_of(study) for name in step.makes]
