# What people look at: tables, figures and claims, each in Snakemake's report with its caption.


# Comparison table (CSV, Markdown, HTML, LaTeX) and the claims as people read them.
rule render_tables:
    input:
        summary=results("summary.csv"),
        comparison=results("comparison.csv"),
        claims=results("claims.json"),
        records=RECORDS,
        searches=APPLIED_SEARCHES,
    output:
        report(
            results("tables/comparison.html"),
            caption="../report/comparison_table.rst",
            category="Tables",
            labels={"table": "Comparison", "format": "page"},
        ),
        report(
            results("claims.html"),
            caption="../report/claims.rst",
            category="Claims",
            labels={"table": "Verdicts", "format": "page"},
        ),
        results("claims.tex"),
        tables=[results(f"tables/comparison.{kind}") for kind in ("md", "csv", "tex")],
        claims=results("claims.md"),
    log:
        results("logs/render_tables.log"),
    benchmark:
        results("benchmarks/render_tables.tsv")
    params:
        **caption_params(),
        study=STUDY_FILE,
        runs=input_folder("records", levels=2),
        tables=output_folder("tables"),
        tuned=f"--tuned {results('tuned')}" if APPLIED_SEARCHES else "",
        config=digest(STUDY.resolved()),
        source=provenance.source_digest(*provenance.REPORTING_SOURCES),
    shell:
        "python -m amb tables --study {params.study} --summary {input.summary}"
        " --comparison {input.comparison} --runs {params.runs} --out-dir {params.tables}"
        " --claims {input.claims} --out-claims {output.claims} {params.tuned} > {log} 2>&1"


# Every seed and its interval, and the course of every training run.
rule draw_figures:
    input:
        scores=results("scores.csv"),
        summary=results("summary.csv"),
        curves=CURVES,
    output:
        report(
            results("figures/comparison.png"),
            caption="../report/comparison_figure.rst",
            category="Figures",
            labels={"figure": "Comparison", "format": "PNG"},
        ),
        report(
            results("figures/training_curves.png"),
            caption="../report/training_curves.rst",
            category="Figures",
            labels={"figure": "Training curves", "format": "PNG"},
        ),
        pdf=[results("figures/comparison.pdf"), results("figures/training_curves.pdf")],
    log:
        results("logs/draw_figures.log"),
    benchmark:
        results("benchmarks/draw_figures.tsv")
    params:
        **caption_params(),
        study=STUDY_FILE,
        runs=input_folder("curves", levels=2),
        figures=output_folder("pdf"),
        config=digest(STUDY.resolved()),
        source=provenance.source_digest(*provenance.REPORTING_SOURCES),
    shell:
        "python -m amb figures --study {params.study} --scores {input.scores}"
        " --summary {input.summary} --runs {params.runs} --out-dir {params.figures}"
        " > {log} 2>&1"


if STUDY.corruption:

    # The robustness table and figure; only where the study has a grid of corruptions.
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
            tables=[results(f"tables/robustness.{kind}") for kind in ("md", "csv")],
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
            source=provenance.source_digest(*provenance.REPORTING_SOURCES),
        shell:
            "python -m amb robustness-report --study {params.study}"
            " --robustness {input.robustness} --tables {params.tables}"
            " --figures {params.figures} > {log} 2>&1"
