# What all rules share: the study, the names of its files, and the digests that make them stale.
import os
import shlex
import subprocess
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

from amb import provenance, termination, workflow_locks
from amb.data.sources import source_files
from amb.devices.visible import usable_gpus
from amb.errors import InputError
from amb.family import layerwise_methods, tuning_by_fusion, where_and_how
from amb.file_times import date_future_files_now
from amb.reporting.figures.figure_list import figures_of
from amb.reporting.markup import restructured_text
from amb.reporting.metric_display import METRICS
from amb.status import steps
from amb.study import digest, load_study

# Jobs end with the process that started them, and its lock does not outlive it.
os.environ[termination.WORKFLOW_VARIABLE] = termination.this_process()
# On a cluster, jobs parse the workflow too, where they may not see who holds the lock.
if workflow.is_main_process and workflow_locks.drop_stale_locks(Path(".snakemake")):
    print(
        "The last run here was killed: its lock is removed, and this run goes on.",
        file=sys.stderr,
    )

# The studies that come with the workflow; a workflow that is used as a module lies elsewhere.
HERE = workflow.current_basedir.get_path_or_uri(secret_free=True)
SHIPPED = Path(HERE).parents[1] / "config"


# The path of a study's YAML file, or its name: a file in config/ here, else one that is shipped.
def study_file(name):
    path = Path(name)
    if path.suffix in (".yaml", ".yml"):
        return path
    own, shipped = Path("config") / f"{name}.yaml", SHIPPED / f"{name}.yaml"
    return shipped if shipped.exists() and not own.exists() else own


STUDY_FILE = study_file(config.get("study", "demo"))
DATA_ROOT = Path(config.get("data_root") or os.environ.get("AMB_DATA_ROOT") or "data")
SEEDS_PER_JOB = int(config.get("seeds_per_job", 10))

try:
    STUDY = load_study(STUDY_FILE)
except InputError as error:
    raise WorkflowError(str(error)) from None

# Without a limit, Snakemake takes a resource as boundless. Jobs beyond the GPUs of this machine would
# only wait for a lease on one; where it has none, they ask for none. Of other machines' GPUs a profile
# tells the number. A job that was submitted reads this too, without the limit, which it inherits.
if workflow.remote_exec and "AMB_GPU_LIMIT" in os.environ:
    workflow.global_resources.setdefault("gpu", int(os.environ["AMB_GPU_LIMIT"]))
GPU_LIMIT = workflow.global_resources.setdefault("gpu", 1).value
os.environ["AMB_GPU_LIMIT"] = str(GPU_LIMIT)
# The executor is chosen after this file is read; but only one that submits jobs limits their number.
RUNS_HERE = workflow.global_resources["_nodes"].value is None
if RUNS_HERE and GPU_LIMIT:
    workflow.global_resources["gpu"] = min(GPU_LIMIT, len(usable_gpus()))
GPUS = workflow.global_resources["gpu"].value


onstart:
    if GPU_LIMIT and not GPUS:
        print("No GPU on this machine: running on the CPU.", file=sys.stderr)


# A path inside this study's results.
def results(path):
    return f"results/{STUDY.name}/{path}"


# Snakemake refuses what is older than its inputs, and cannot know that a clock was wrong.
if workflow.is_main_process and (ahead := date_future_files_now(Path(results("")))):
    print(
        f"Of {results('')} {ahead} files were dated in the future: they are of now.",
        file=sys.stderr,
    )


# A table's files beside its page, which Snakemake's report shows.
def table_files(name):
    return [results(f"tables/{name}.{kind}") for kind in ("md", "csv", "tex")]


def run_files(name, method, seeds):
    return [results(f"runs/{method}/seed{seed}/{name}") for seed in seeds]


# (method, number of the pack, its seeds): the seeds that travel in one job.
def packs():
    for method, row in STUDY.methods.items():
        for start in range(0, len(row.seeds), SEEDS_PER_JOB):
            yield method, start // SEEDS_PER_JOB, row.seeds[
                start : start + SEEDS_PER_JOB
            ]


# The study file that a row trains with: the one with its tuned recipe where the study applies them.
def recipe_study(method):
    tuned = STUDY.recipe_row(method)
    return results(f"tuned/{tuned}.yaml") if tuned else STUDY_FILE


# The same as an input; nothing where the row has the study's own recipe.
def recipe(method):
    return [recipe_study(method)] if STUDY.recipe_row(method) else []


# Threads of a job that takes seeds: on a CPU one seed a core, on a GPU one by one.
def seed_threads(seeds):
    return 1 if GPUS else len(seeds)


# The folder of a file, or of the first of several, so many levels up.
def folder_of(files, levels):
    return Path(files if isinstance(files, str) else files[0]).parents[levels]


# A param: the folder of a rule's named input or output.
def input_folder(name, levels=0):
    return lambda wildcards, input: folder_of(input.get(name), levels)


def output_folder(name, levels=0):
    return lambda wildcards, output: folder_of(output.get(name), levels)


# Filled into the captions of the report: nobody types what a study says of itself.
def caption_params():
    counts = {len(row.seeds) for row in STUDY.methods.values()}
    few, many = min(counts), max(counts)
    return {
        "seeds": str(many) if few == many else f"{few} to {many}",
        "alpha": STUDY.statistics.alpha,
        "metric": METRICS[STUDY.statistics.metrics[0]].label,
        "reference": restructured_text.escape(
            STUDY.methods[STUDY.statistics.reference].label
        ),
    }


STORE_FILES = [
    "utterances.parquet",
    "features.safetensors",
    "labels.parquet",
    "card.json",
]
BACKBONE_FILES = ["model.safetensors", "config.json", "tokenizer.json", "card.json"]
PREDICTIONS = [
    path
    for method, _, seeds in packs()
    for path in run_files("predictions.parquet", method, seeds)
]
RECORDS = [
    path
    for method, _, seeds in packs()
    for path in run_files("run.json", method, seeds)
]
# Only a study with control rows has ranges to check.
CONTROLS = (
    [results("controls.json"), *table_files("controls")] if STUDY.control_rows() else []
)
# Only generated data have bounds that are known.
KNOWN_ANSWER = (
    [results("known_answer.json"), *table_files("known_answer")]
    if STUDY.data["reader"] == "demo"
    else []
)
# Only a study with a grid of corruptions has these; controls are known on clean inputs alone.
CORRUPTED_PACKS = [
    pack for pack in packs() if STUDY.corruption and pack[0] in STUDY.compared().methods
]
CORRUPTED = [
    path
    for method, _, seeds in CORRUPTED_PACKS
    for path in run_files("corrupted.parquet", method, seeds)
]
ROBUSTNESS = (
    [results("robustness.csv"), *table_files("robustness")] if CORRUPTED else []
)
# Only a study whose rows differ in what BERT does, or in where and how fusion acts, has these.
ABLATIONS = {
    name: title
    for name, title, cells in (
        ("ablation", "Ablation", tuning_by_fusion(STUDY)),
        ("fusion", "Fusion", where_and_how(STUDY)),
    )
    if cells
}
# Only rows with layer-wise fusion have fusion layers to measure.
FUSION_PACKS = [pack for pack in packs() if pack[0] in layerwise_methods(STUDY)]
FUSION_NORMS = [
    path
    for method, _, seeds in FUSION_PACKS
    for path in run_files("fusion_norms.csv", method, seeds)
]
# Which figures there are depends on the study.
FIGURES = figures_of(STUDY)
# Only a study with a section `tuning` searches for recipes.
SEARCHES = [results(f"tuned/{method}.json") for method in STUDY.tuned_rows()]
APPLIED_SEARCHES = SEARCHES if STUDY.tuning and STUDY.tuning.apply else []


# (a, b) of the claims of kind speed; only a study that asks for it times training steps.
def timed_rows():
    if not STUDY.statistics.speed:
        return []
    # This import takes a second, which other studies do not pay.
    from amb.statistics.claims import load_claims

    try:
        pairs = load_claims(STUDY.claims_file()).timed_rows()
    except InputError as error:
        raise WorkflowError(str(error)) from None
    return [pair for pair in pairs if set(pair) <= set(STUDY.methods)]


TIMED = timed_rows()
TIMINGS = [results(f"speed/{a}_against_{b}.json") for a, b in TIMED]
# Numbers that others published stand beside the claims that refer to them.
PUBLISHED = [
    path for path in (STUDY.claims_file().parent / "published.csv",) if path.exists()
]


# Only data that others published numbers on have a table of these.
def quoted_files():
    if STUDY.dataset() is None or not PUBLISHED:
        return []
    # This import takes half a second, which studies of generated data do not pay.
    from amb.statistics.published import read_published

    try:
        numbers = read_published(PUBLISHED[0]).numbers.values()
    except InputError as error:
        raise WorkflowError(str(error)) from None
    quoted = STUDY.dataset() in {number.dataset for number in numbers}
    return table_files("published") if quoted else []


QUOTED = quoted_files()
CURVES = [
    path
    for method, _, seeds in packs()
    for path in run_files("curve.csv", method, seeds)
]


# After a run that failed: which steps, what they said last, and what to do.
def tell_failures(snakemake_logs):
    failed = steps.logs_of_failed_rules([Path(log) for log in snakemake_logs])
    if failed:
        print(steps.failure_summary(failed, STUDY_FILE), file=sys.stderr)


# After a run: Snakemake's own report, then the tables and verdicts on the terminal.
# --config finish=report leaves the terminal alone; finish=none does neither. The calibration and the
# references are of no study, so there is nothing of a study to show after them.
def finish():
    wanted = config.get("finish", "show")
    if wanted == "none" or {"calibration", "verify"} & set(
        workflow.dag_settings.targets
    ):
        return
    # A run of the first steps alone (--until) has nothing to show yet.
    if not Path(results("index.html")).exists():
        return
    settings = [f"{key}={value}" for key, value in config.items()]
    command = [sys.executable, "-m", "snakemake", "--nolock", "--quiet", "all"]
    command += ["--snakefile", str(workflow.main_snakefile)]
    command += ["--report", results("report.html")]
    command += ["--config", *settings] if settings else []
    made = subprocess.run(command, capture_output=True, text=True)
    if made.returncode:
        print(f"The report could not be made: {shlex.join(command)}\n{made.stderr}")
    if wanted == "show":
        subprocess.run([sys.executable, "-m", "amb", "show", results("")], check=False)
