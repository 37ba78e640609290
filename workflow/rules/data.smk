# From a user's files to one checked store, and from a checkpoint to one checked backbone.


# `local`: a user's file, which is no file of the results even where these lie in a storage.
# Sources that exist are inputs: a changed file makes the store stale, a missing one is an error of
# the job, with its name, and does not keep a dry run from planning.
rule prepare_data:
    input:
        local([path for path in source_files(STUDY, DATA_ROOT) if path.exists()]),
    output:
        store=[results(f"store/{name}") for name in STORE_FILES],
        test_labels=results("store/labels.test.parquet"),
    log:
        results("logs/prepare_data.log"),
    benchmark:
        results("benchmarks/prepare_data.tsv")
    resources:
        **need(60, lambda threads: 4000 + source_mb()),
    params:
        study=STUDY_FILE,
        data_root=DATA_ROOT,
        store=output_folder("store"),
        config=digest(STUDY.data),
        source=provenance.source_digest(*provenance.DATA_SOURCES),
    shell:
        "python -m amb data prepare --study {params.study:q} --data-root {params.data_root:q}"
        " --out {params.store:q} > {log:q} 2>&1"


# Weights are found locally, in the registry or on the hub, and checked against their hash.
rule prepare_backbone:
    output:
        backbone=[results(f"backbone/{name}") for name in BACKBONE_FILES],
    log:
        results("logs/prepare_backbone.log"),
    benchmark:
        results("benchmarks/prepare_backbone.tsv")
    params:
        study=STUDY_FILE,
        backbone=output_folder("backbone"),
        config=digest([STUDY.backbone.name, STUDY.backbone.layers]),
        source=provenance.source_digest(*provenance.BACKBONE_SOURCES),
    shell:
        "python -m amb backbone --study {params.study:q} --out {params.backbone:q} > {log:q} 2>&1"


# Every method is built and tried on one batch, before the hours of training that could run as well.
# It is no input of training: once Snakemake has a reason to run a job, it looks for none downstream,
# and through an ancient input it passes none on: a changed method would not be trained again.
rule check_methods:
    input:
        store=[results(f"store/{name}") for name in STORE_FILES],
        backbone=[results(f"backbone/{name}") for name in BACKBONE_FILES],
    output:
        results("methods.json"),
    log:
        results("logs/check_methods.log"),
    benchmark:
        results("benchmarks/check_methods.tsv")
    priority: 2
    resources:
        **need(10 + len(STUDY.methods), WORKLOAD.memory_mb),
    params:
        study=STUDY_FILE,
        store=input_folder("store"),
        backbone=input_folder("backbone"),
        config=digest([STUDY.training_view(method) for method in STUDY.methods]),
        source=[
            provenance.source_digest(*provenance.CHECK_SOURCES),
            *[
                provenance.training_digest(row.builder)
                for row in STUDY.methods.values()
            ],
        ],
    shell:
        "python -m amb check --study {params.study:q} --store {params.store:q}"
        " --backbone {params.backbone:q} --out {output:q} > {log:q} 2>&1"


# The study as it was resolved, defaults filled in, with its claims, beside its results: what a
# reader needs to judge them anew.
rule record_study:
    input:
        study=local(STUDY_FILE),
        claims=local(STUDY.claims_file()),
        published=local(PUBLISHED),
    output:
        results("study.json"),
        config=[
            results(f"config/{name}")
            for name in (
                "study.yaml",
                STUDY.claims_file().name,
                *(Path(path).name for path in PUBLISHED),
            )
        ],
    log:
        results("logs/record_study.log"),
    params:
        folder=output_folder("config"),
        config=digest(STUDY.resolved()),
    shell:
        "python -m amb study --study {input.study:q} --out {output[0]:q}"
        " --config {params.folder:q} > {log:q} 2>&1"
