# Each frozen checkpoint predicts every split once. The only rule of `all` that reads the test labels.
for method, pack, seeds in packs():

    rule:
        name:
            f"evaluate_{method}_{pack}"
        input:
            store=[results(f"store/{name}") for name in STORE_FILES],
            test_labels=results("store/labels.test.parquet"),
            backbone=[results(f"backbone/{name}") for name in BACKBONE_FILES],
            checkpoints=run_files("checkpoint.safetensors", method, seeds),
            records=run_files("run.json", method, seeds),
            recipe=recipe(method),
        output:
            update(run_files("predictions.parquet", method, seeds)),
        log:
            results(f"logs/evaluate_{method}_{pack}.log"),
        benchmark:
            results(f"benchmarks/evaluate_{method}_{pack}.tsv")
        threads: prediction_threads(seeds)
        resources:
            **prediction_need(seeds),
            gpu=1,
        params:
            study=recipe_study(method),
            store=input_folder("store"),
            backbone=input_folder("backbone"),
            runs=input_folder("records", levels=2),
            method=method,
            seeds=seeds,
            source=provenance.source_digest(*provenance.EVALUATION_SOURCES),
        shell:
            "python -m amb evaluate --study {params.study:q} --store {params.store:q}"
            " --backbone {params.backbone:q} --method {params.method:q} --seeds {params.seeds}"
            " --runs {params.runs:q} --workers {threads} --gpus {resources.gpu} > {log:q} 2>&1"


# The same checkpoints on the corrupted test split, all points of the grid in one pass; only where
# the study has a grid.
for method, pack, seeds in CORRUPTED_PACKS:

    rule:
        name:
            f"corrupt_{method}_{pack}"
        input:
            store=[results(f"store/{name}") for name in STORE_FILES],
            test_labels=results("store/labels.test.parquet"),
            backbone=[results(f"backbone/{name}") for name in BACKBONE_FILES],
            checkpoints=run_files("checkpoint.safetensors", method, seeds),
            records=run_files("run.json", method, seeds),
        output:
            update(run_files("corrupted.parquet", method, seeds)),
        log:
            results(f"logs/corrupt_{method}_{pack}.log"),
        benchmark:
            results(f"benchmarks/corrupt_{method}_{pack}.tsv")
        threads: seed_threads(seeds)
        resources:
            **corruption_need(seeds),
            gpu=1,
        params:
            study=STUDY_FILE,
            store=input_folder("store"),
            backbone=input_folder("backbone"),
            runs=input_folder("records", levels=2),
            method=method,
            seeds=seeds,
            config=digest(STUDY.corruption_view()),
            source=provenance.source_digest(*provenance.CORRUPTION_SOURCES),
        shell:
            "python -m amb corrupt --study {params.study:q} --store {params.store:q}"
            " --backbone {params.backbone:q} --method {params.method:q} --seeds {params.seeds}"
            " --runs {params.runs:q} --workers {threads} --gpus {resources.gpu} > {log:q} 2>&1"


# What the fusion layers of the same checkpoints add, on the validation split; only rows that have
# such layers.
for method, pack, seeds in FUSION_PACKS:

    rule:
        name:
            f"measure_fusion_{method}_{pack}"
        input:
            store=[results(f"store/{name}") for name in STORE_FILES],
            backbone=[results(f"backbone/{name}") for name in BACKBONE_FILES],
            checkpoints=run_files("checkpoint.safetensors", method, seeds),
            records=run_files("run.json", method, seeds),
            recipe=recipe(method),
        output:
            run_files("fusion_norms.csv", method, seeds),
        log:
            results(f"logs/measure_fusion_{method}_{pack}.log"),
        benchmark:
            results(f"benchmarks/measure_fusion_{method}_{pack}.tsv")
        threads: prediction_threads(seeds)
        resources:
            **prediction_need(seeds),
            gpu=1,
        params:
            study=recipe_study(method),
            store=input_folder("store"),
            backbone=input_folder("backbone"),
            runs=input_folder("records", levels=2),
            method=method,
            seeds=seeds,
            source=provenance.source_digest(*provenance.FUSION_NORMS_SOURCES),
        shell:
            "python -m amb fusion-norms --study {params.study:q} --store {params.store:q}"
            " --backbone {params.backbone:q} --method {params.method:q} --seeds {params.seeds}"
            " --runs {params.runs:q} --workers {threads} --gpus {resources.gpu} > {log:q} 2>&1"
