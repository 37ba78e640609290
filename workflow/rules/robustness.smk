# What corrupted inputs cost every row; only where the study has a grid of corruptions.
if STUDY.corruption:

    # What every row loses under the grid of corruptions, and against the reference.
    rule score_robustness:
        input:
            predictions=[
                path
                for method, _, seeds in CORRUPTED_PACKS
                for path in run_files("predictions.parquet", method, seeds)
            ],
            corrupted=CORRUPTED,
        output:
            results("robustness.csv"),
        log:
            results("logs/score_robustness.log"),
        benchmark:
            results("benchmarks/score_robustness.tsv")
        params:
            study=STUDY_FILE,
            runs=input_folder("predictions", levels=2),
            config=digest(STUDY.resolved()["statistics"]),
            source=provenance.source_digest(*provenance.STATISTICS_SOURCES),
        shell:
            "python -m amb robustness --study {params.study:q} --runs {params.runs:q}"
            " --out {output:q} > {log:q} 2>&1"

    # The robustness table and figure.
    rule draw_robustness:
        input:
            robustness=results("robustness.csv"),
        output:
            report(
                results("tables/robustness.html"),
                caption="../report/robustness_table.rst",
                category="Tables",
                labels={"table": "Robustness", "format": "page"},
            ),
            report(
                results("figures/robustness.png"),
                caption="../report/robustness_figure.rst",
                category="Figures",
                labels={"figure": "Robustness", "format": "PNG"},
            ),
            tables=table_files("robustness"),
            pdf=[results("figures/robustness.pdf")],
        log:
            results("logs/draw_robustness.log"),
        benchmark:
            results("benchmarks/draw_robustness.tsv")
        params:
            **caption_params(),
            draws=STUDY.corruption.draws,
            study=STUDY_FILE,
            tables=output_folder("tables"),
            figures=output_folder("pdf"),
            config=digest(STUDY.resolved()),
            source=provenance.source_digest(
                "amb/reporting/figures/robustness.py", *provenance.REPORTING_SOURCES
            ),
        shell:
            "python -m amb robustness-report --study {params.study:q}"
            " --robustness {input.robustness:q} --tables {params.tables:q}"
            " --figures {params.figures:q} > {log:q} 2>&1"
