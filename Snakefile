# AMB reproducibility suite: from data to verdicts, one study at a time.
#   snakemake --cores all --resources gpu=1                          the embedded demo
#   snakemake --cores all --resources gpu=1 --config study=mosi_sdk  another study of config/
from snakemake.utils import min_version

min_version("9.27")


include: "workflow/rules/common.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/tune.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/timing.smk"
include: "workflow/rules/analyse.smk"
include: "workflow/rules/robustness.smk"
include: "workflow/rules/tables.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/peek.smk"
include: "workflow/rules/calibration.smk"


report: "workflow/report/workflow.rst"


# Predictions are targets themselves: a missing one is made again, and only that one.
rule all:
    default_target: True
    input:
        PREDICTIONS,
        results("methods.json"),
        CONTROLS,
        KNOWN_ANSWER,
        SEARCHES,
        TUNING_FIGURE,
        CORRUPTED,
        ROBUSTNESS,
        results("study.json"),
        results("sensitivity.csv"),
        results("claims.html"),
        results("tables/comparison.html"),
        [results(f"tables/metric_variants.{kind}") for kind in ("md", "csv", "html")],
        results("figures/comparison.png"),
        results("figures/training_curves.png"),


onsuccess:
    finish()


onerror:
    tell_failures(log)
