# Figures, each in Snakemake's report with its caption. Those of robustness and of tuning are made
# beside their tables.
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


# A param: the results folder, from the first of a figure's files.
def folder_of_results(files):
    levels = files[0].removeprefix(results("")).count("/")
    return input_folder("files", levels=levels)


# From files of the results folder alone.
for figure in [figure for figure in FIGURES if figure.name in FIGURE_FILES]:

    rule:
        name:
            f"draw_{figure.name}"
        input:
            files=FIGURE_FILES[figure.name],
        output:
            report(
                results(f"figures/{figure.name}.png"),
                caption=f"../report/{figure.name}_figure.rst",
                category="Figures",
                labels={"figure": figure.title, "format": "PNG"},
            ),
            pdf=[results(f"figures/{figure.name}.pdf")],
        log:
            results(f"logs/draw_{figure.name}.log"),
        benchmark:
            results(f"benchmarks/draw_{figure.name}.tsv")
        params:
            **caption_params(),
            figure=figure.name,
            study=STUDY_FILE,
            results=folder_of_results(FIGURE_FILES[figure.name]),
            figures=output_folder("pdf"),
            config=digest(STUDY.resolved()),
            source=provenance.source_digest(*provenance.FIGURE_SOURCES),
        shell:
            "python -m amb figures --study {params.study} --results {params.results}"
            " --out-dir {params.figures} --only {params.figure} > {log} 2>&1"
