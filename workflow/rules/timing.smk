# Training steps of the rows that a claim of kind speed compares, timed in interleaved blocks. Run
# when a study asks for it (statistics.speed); for numbers to publish, on an otherwise idle machine:
#   snakemake --cores 1 --resources gpu=1 --until judge_claims …
for a, b in TIMED:

    rule:
        name:
            f"time_methods_{a}_against_{b}"
        input:
            store=[results(f"store/{name}") for name in STORE_FILES],
            backbone=[results(f"backbone/{name}") for name in BACKBONE_FILES],
        output:
            results(f"speed/{a}_against_{b}.json"),
        log:
            results(f"logs/time_methods_{a}_against_{b}.log"),
        benchmark:
            results(f"benchmarks/time_methods_{a}_against_{b}.tsv")
        threads: 1
        resources:
            **need(60, WORKLOAD.memory_mb),
            gpu=1,
        params:
            study=STUDY_FILE,
            store=input_folder("store"),
            backbone=input_folder("backbone"),
            a=a,
            b=b,
            config=digest([STUDY.training_view(method) for method in (a, b)]),
            source=[
                provenance.source_digest(*provenance.TIMING_SOURCES),
                *[
                    provenance.training_digest(STUDY.methods[method].builder)
                    for method in (a, b)
                ],
            ],
        shell:
            "python -m amb speed --study {params.study:q} --store {params.store:q}"
            " --backbone {params.backbone:q} --a {params.a:q} --b {params.b:q}"
            " --threads {threads} --gpus {resources.gpu} --out {output:q} > {log:q} 2>&1"
