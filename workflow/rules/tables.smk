# Tables and claims as people read them, each in Snakemake's report with its caption.


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
