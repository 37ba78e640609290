"""Whether a row can use every dimension of its search space, found out before any trial.

A dimension without an effect would make a row's space smaller than it looks, and its budget larger
than that of the others.
"""

from __future__ import annotations

from amb.errors import InputError
from amb.model.method import SentimentModel, find_builder
from amb.search_space import Dimension, TuningSettings
from amb.training.job import Job
from amb.training.run import Context, build_model, open_context
from amb.tuning.recipe import GROUP, OPTION


def check_space(job: Job) -> TuningSettings:
    """Check a row's search space against the model that the row builds.

    Args:
        job: The row and its files.

    Returns:
        How the study tunes.

    Raises:
        InputError: The study does not tune, or not this row; nothing is trained by gradient; a
            dimension is without an effect on this row; or its builder refuses an option.
    """
    context = open_context(job)
    study = context.study
    if study.tuning is None:
        raise InputError(job.study_file, "tuning", "no such section", "one (docs/tuning.md)")
    if job.method not in study.tuned_rows():
        allowed = f"one of {', '.join(study.tuned_rows())}"
        raise InputError(job.study_file, "tuned row", job.method, allowed)
    model = build_model(job, study.tuning.seed)
    if not model.trains_by_gradient:
        raise InputError(job.study_file, f"methods.{job.method}", "a closed form", "a trained row")
    space = study.tuning.space_of(job.method)
    with_own_rate = set(study.methods[job.method].training.group_learning_rates)
    with_own_rate |= {d.name.removeprefix(GROUP) for d in space if d.name.startswith(GROUP)}
    for dimension in space:
        if dimension.name.startswith(OPTION):
            _try_option(context, job.method, dimension)
        elif not _has_effect(dimension.name, model, with_own_rate):
            raise InputError(
                job.study_file,
                f"tuning.space.{dimension.name}",
                f"a dimension without an effect on row {job.method}",
                f"tuning.methods.{job.method}.{dimension.name} with another one instead",
            )
    return study.tuning


def _has_effect(name: str, model: SentimentModel, with_own_rate: set[str]) -> bool:
    """Return whether some parameter trains at a rate; what is not a rate always has an effect."""
    groups = {group for group, named in model.trainable_groups().items() if named}
    if name.startswith(GROUP):
        return name.removeprefix(GROUP) in groups
    if name == "backbone_learning_rate":
        return "backbone" in groups - with_own_rate
    if name == "learning_rate":
        return bool(groups - with_own_rate - {"backbone"})
    return True


def _try_option(context: Context, method: str, dimension: Dimension) -> None:
    """Build the row with every choice, or both ends, of an option; what is wrong raises."""
    row = context.study.methods[method]
    option = dimension.name.removeprefix(OPTION)
    for value in dimension.ends():
        find_builder(row.builder)(
            {**row.options, option: value}, context.backbone, context.features
        )
