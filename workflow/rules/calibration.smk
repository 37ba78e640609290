# Do the tests keep their level where the truth is known? Of no study, and not part of `rule all`:
#   snakemake --cores all calibration

CALIBRATION = "results/calibration"


rule calibration:
    input:
        f"{CALIBRATION}/calibration.html",


# Simulated true nulls, thousands of times a cell; a test that breaks its promise fails the run,
# after its tables are written. What a killed run had finished stays in cells/;
# at most one process works on each of the 24 scenarios.
rule calibrate_tests:
    output:
        report(
            f"{CALIBRATION}/calibration.html",
            caption="../report/calibration.rst",
            category="Calibration",
            labels={"table": "Rejection rates", "format": "page"},
        ),
        report(
            f"{CALIBRATION}/calibration.png",
            caption="../report/calibration.rst",
            category="Calibration",
            labels={"figure": "Rejection rates", "format": "PNG"},
        ),
        tables=[f"{CALIBRATION}/calibration.{kind}" for kind in ("csv", "md", "pdf")],
    log:
        f"{CALIBRATION}/logs/calibrate_tests.log",
    benchmark:
        f"{CALIBRATION}/benchmarks/calibrate_tests.tsv"
    threads: 24
    resources:
        **need(240, lambda threads: 1000 * threads),
    params:
        replicates=int(config.get("replicates", 3000)),
        folder=output_folder("tables"),
        source=provenance.source_digest(
            *provenance.STATISTICS_SOURCES, *provenance.REPORTING_SOURCES
        ),
    shell:
        "python -m amb calibrate --replicates {params.replicates} --workers {threads}"
        " --out-dir {params.folder:q} > {log:q} 2>&1"
