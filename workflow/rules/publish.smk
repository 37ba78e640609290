# What leaves the machine, and whether what is committed still holds; neither is part of `all`.

REFERENCES = sorted(Path("results/reference").glob("*/study.json"))


# Every table and figure of the committed references made again from their predictions: an error,
# with the numbers, where one differs. Not of the study, and without torch.
rule verify:
    input:
        local(REFERENCES),
    log:
        "results/logs/verify.log",
    params:
        folders=[path.parent for path in REFERENCES],
    shell:
        "python -m amb verify {params.folders:q} 2>&1 | tee {log:q}"


# The study as a bundle to publish: a Workflow Run RO-Crate, verified before it is packed.
rule bundle:
    input:
        lambda wildcards: rules.all.input,
    output:
        results("bundle.zip"),
    log:
        results("logs/bundle.log"),
    benchmark:
        results("benchmarks/bundle.tsv")
    params:
        results=results(""),
        texts="--texts" if config.get("texts") else "",
        source=provenance.source_digest("amb/publishing", "amb/verification"),
    shell:
        "python -m amb bundle {params.results:q} --out {output:q} {params.texts} > {log:q} 2>&1"
