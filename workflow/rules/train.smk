# One job trains a pack of seeds of one method. `update` keeps the runs of a pack that are already
# there: `amb train` checks each against today's inputs and trains only what is missing or stale.
# Labels of the test split are not among the inputs.
for method, pack, seeds in packs():

    rule:
        name:
            f"train_{method}_{pack}"
        input:
            store=[results(f"store/{name}") for name in STORE_FILES],
            backbone=[results(f"backbone/{name}") for name in BACKBONE_FILES],
            recipe=recipe(method),
        output:
            checkpoints=update(run_files("checkpoint.safetensors", method, seeds)),
            curves=update(run_files("curve.csv", method, seeds)),
            records=update(run_files("run.json", method, seeds)),
        log:
            results(f"logs/train_{method}_{pack}.log"),
        benchmark:
            results(f"benchmarks/train_{method}_{pack}.tsv")
        priority: training_priority(seeds)
        threads: seed_threads(seeds)
        resources:
            **training_need(method, seeds),
            gpu=1,
        params:
            study=recipe_study(method),
            store=input_folder("store"),
            backbone=input_folder("backbone"),
            runs=output_folder("records", levels=2),
            method=method,
            seeds=seeds,
            pack=f"--pack {int(config['pack'])}" if "pack" in config else "",
            config=digest(STUDY.training_view(method)),
            source=provenance.training_digest(STUDY.methods[method].builder),
        shell:
            "python -m amb train --study {params.study:q} --store {params.store:q}"
            " --backbone {params.backbone:q} --method {params.method:q} --seeds {params.seeds}"
            " --runs {params.runs:q} --workers {threads} --gpus {resources.gpu} {params.pack} > {log:q} 2>&1"
