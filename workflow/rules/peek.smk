# What choosing the epoch on the test set would add: `snakemake peek`. No part of `all`, and no other
# rule reads what these rules write; a test holds that.
for method, row in STUDY.compared().methods.items():

    # Retrains every seed with its test metrics by epoch; beside `evaluate`, the only rule that reads
    # the test labels.
    rule:
        name:
            f"peek_{method}"
        input:
            store=[results(f"store/{name}") for name in STORE_FILES],
            test_labels=results("store/labels.test.parquet"),
            backbone=[results(f"backbone/{name}") for name in BACKBONE_FILES],
            recipe=recipe(method),
        output:
            inflation=results(f"peek/{method}.json"),
            page=results(f"peek/{method}.md"),
        log:
            results(f"logs/peek_{method}.log"),
        benchmark:
            results(f"benchmarks/peek_{method}.tsv")
        threads: seed_threads(row.seeds)
        resources:
            **training_need(method, row.seeds),
            gpu=1,
        params:
            study=STUDY_FILE,
            store=input_folder("store"),
            backbone=input_folder("backbone"),
            runs=results("peek"),
            recipe=recipe_study(method),
            method=method,
            seeds=row.seeds,
            config=digest([STUDY.training_view(method), STUDY.resolved()["statistics"]]),
            source=[
                provenance.training_digest(row.builder),
                provenance.source_digest(
                    "amb/peeking", *provenance.STATISTICS_SOURCES
                ),
            ],
        shell:
            "python -m amb peek --study {params.study:q} --recipe {params.recipe:q}"
            " --store {params.store:q} --backbone {params.backbone:q} --method {params.method:q}"
            " --seeds {params.seeds} --runs {params.runs:q} --workers {threads} --gpus {resources.gpu}"
            " --out {output.inflation:q} > {log:q} 2>&1"


# All of them, on the terminal.
rule peek:
    input:
        [results(f"peek/{method}.md") for method in STUDY.compared().methods],
    log:
        results("logs/peek.log"),
    shell:
        "cat {input:q} | tee {log:q}"
