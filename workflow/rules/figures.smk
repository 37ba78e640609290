# Figures, each in Snakemake's report with its caption.


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
