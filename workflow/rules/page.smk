# The study's page: verdicts, tables, figures and every prediction, in one self-contained file.

# Whatever lies in the folders tables and figures is shown; named here is what must be there first.
PAGE_TABLES = [
    *[
        path
        for name in ("comparison", "ties", "efficiency", "metric_variants", *ABLATIONS)
        for path in table_files(name)
    ],
    *QUOTED,
    *CONTROLS,
    *KNOWN_ANSWER,
    *ROBUSTNESS,
]
PAGE_FIGURES = [results(f"figures/{figure.name}.png") for figure in FIGURES]


# Texts are those of the store; records and curves say how the runs went.
rule write_page:
    input:
        predictions=PREDICTIONS,
        records=RECORDS,
        curves=CURVES,
        utterances=results("store/utterances.parquet"),
        scores=results("scores.csv"),
        summary=results("summary.csv"),
        claims=results("claims.json"),
        tables=PAGE_TABLES,
        figures=PAGE_FIGURES,
    output:
        page=results("index.html"),
    log:
        results("logs/write_page.log"),
    benchmark:
        results("benchmarks/write_page.tsv")
    params:
        study=STUDY_FILE,
        results=output_folder("page"),
        config=digest(STUDY.resolved()),
        source=provenance.source_digest(*provenance.PAGE_SOURCES),
    shell:
        "python -m amb page --study {params.study:q} --results {params.results:q} --out {output.page:q}"
        " > {log:q} 2>&1"
