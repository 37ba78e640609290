# What jobs ask of the machine that runs them: minutes and memory, guessed from the study and doubled
# with every retry. A profile says where jobs run; no rule does.
import math

from amb.workload import corruption_passes, workload_of

WORKLOAD = workload_of(STUDY)
# Raises the times of all jobs where machines are slower than guessed.
RUNTIME_SCALE = float(config.get("runtime_scale", 1))


# A resource: a number, or a function of the rule's threads, doubled with every attempt.
def retried(value, scale=1):
    def resource(wildcards, threads, attempt):
        wanted = value(threads) if callable(value) else value
        return max(1, math.ceil(wanted * scale)) * 2 ** (attempt - 1)

    return resource


# Of a job with a need that is known.
def need(minutes, memory_mb):
    return {
        "runtime": retried(minutes, RUNTIME_SCALE),
        "mem_mb": retried(memory_mb),
    }


# Of a job that passes all utterances through models, so many epochs for so many seeds.
def model_need(epochs, seeds=1):
    return need(
        lambda threads: WORKLOAD.minutes(epochs, seeds, threads, GPUS),
        WORKLOAD.memory_mb,
    )


def training_need(method, seeds):
    return model_need(STUDY.methods[method].training.max_epochs, len(seeds))


# A pass over all utterances; twice, since files are written too.
def prediction_need(seeds):
    return model_need(2, len(seeds))


def prediction_threads(seeds):
    return 1 if GPUS else WORKLOAD.prediction_processes(len(seeds))


# Predictions that take a core come side by side after the trainings, which take more: between two
# of these, one would leave the other cores idle.
def training_priority(seeds):
    return int(prediction_threads(seeds) < seed_threads(seeds))


# The test split is a fifth of the utterances of the known data sets.
def corruption_need(seeds):
    return model_need(0.2 * corruption_passes(STUDY), len(seeds))


def tuning_need(method):
    return model_need(STUDY.methods[method].training.max_epochs, STUDY.tuning.trials)


# Megabytes of the files that the store is made from.
def source_mb():
    files = [path for path in source_files(STUDY, DATA_ROOT) if path.exists()]
    return sum(path.stat().st_size for path in files) / 1e6
