# AMB reproducibility suite: from data to verdicts, one study at a time.
#   snakemake --cores all --resources gpu=1                          the embedded demo
#   snakemake --cores all --resources gpu=1 --config study=mosi_sdk  another study of config/
from snakemake.utils import min_version

min_version("9.27")


include: "workflow/rules/common.smk"
include: "workflow/rules/resources.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/tune.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/timing.smk"
include: "workflow/rules/analyse.smk"
include: "workflow/rules/robustness.smk"
include: "workflow/rules/tables.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/page.smk"
include: "workflow/rules/peek.smk"
include: "workflow/rules/calibration.smk"
include: "workflow/rules/publish.smk"
include: "workflow/rules/local.smk"


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
        CORRUPTED,
        ROBUSTNESS,
        results("study.json"),
        results("index.html"),
        results("sensitivity.csv"),
        results("claims.html"),
        results("tables/comparison.html"),
        results("tables/ties.html"),
        results("tables/efficiency.html"),
        results("tables/metric_variants.html"),
        [results(f"tables/{name}.html") for name in ABLATIONS],
        QUOTED,
        [results(f"figures/{figure.name}.png") for figure in FIGURES],


onsuccess:
    finish()


onerror:
    tell_failures(log)
