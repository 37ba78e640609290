# Figures, each in Snakemake's report with its caption. Those of robustness and of tuning are made
# beside their tables. One job draws all: starting costs more than drawing.
FIGURE_FILES = {
    "comparison": [results("scores.csv"), results("summary.csv")],
    "claims": [results("claims.json")],
    "effects": [
        results(name) for name in ("comparison.csv", "claims.json", "summary.csv")
    ],
    "superiority": [results("scores.csv")],
    "ablation": [results("scores.csv"), results("summary.csv"), *RECORDS],
    "parameters": [results("summary.csv"), *RECORDS],
    "predictions": PREDICTIONS,
    "fusion_norms": FUSION_NORMS,
    "training_curves": CURVES,
}


DRAWN = [figure for figure in FIGURES if figure.name in FIGURE_FILES]


# From files of the results folder alone.
rule draw_figures:
    input:
        scores=[results("scores.csv")],
        files=[file for figure in DRAWN for file in FIGURE_FILES[figure.name]],
    output:
        [
            report(
                results(f"figures/{figure.name}.png"),
                caption=f"../report/{figure.name}_figure.rst",
                category="Figures",
                labels={"figure": figure.title, "format": "PNG"},
            )
            for figure in DRAWN
        ],
        pdf=[results(f"figures/{figure.name}.pdf") for figure in DRAWN],
    log:
        results("logs/draw_figures.log"),
    benchmark:
        results("benchmarks/draw_figures.tsv")
    params:
        **caption_params(),
        names=[figure.name for figure in DRAWN],
        study=STUDY_FILE,
        results=input_folder("scores"),
        figures=output_folder("pdf"),
        config=digest(STUDY.resolved()),
        source=provenance.source_digest(*provenance.FIGURE_SOURCES),
    shell:
        "python -m amb figures --study {params.study:q} --results {params.results:q}"
        " --out-dir {params.figures:q} --only {params.names} > {log:q} 2>&1"
