# Tables and claims as people read them, each in Snakemake's report with its caption.


# Comparison and ties (CSV, Markdown, HTML, LaTeX) and the claims as people read them.
rule render_tables:
    input:
        summary=results("summary.csv"),
        comparison=results("comparison.csv"),
        pairs=results("pairs.csv"),
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
            results("tables/ties.html"),
            caption="../report/ties.rst",
            category="Tables",
            labels={"table": "Ties", "format": "page"},
        ),
        report(
            results("claims.html"),
            caption="../report/claims.rst",
            category="Claims",
            labels={"table": "Verdicts", "format": "page"},
        ),
        results("claims.tex"),
        tables=table_files("comparison") + table_files("ties"),
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
        "python -m amb tables --study {params.study:q} --summary {input.summary:q}"
        " --comparison {input.comparison:q} --pairs {input.pairs:q} --runs {params.runs:q} --out-dir {params.tables:q}"
        " --claims {input.claims:q} --out-claims {output.claims:q} {params.tuned} > {log:q} 2>&1"


# Parameters, time and memory of every run. They are measured once: no prediction holds them.
rule collect_costs:
    input:
        records=RECORDS,
        curves=CURVES,
    output:
        results("costs.csv"),
    log:
        results("logs/collect_costs.log"),
    benchmark:
        results("benchmarks/collect_costs.tsv")
    params:
        study=STUDY_FILE,
        runs=input_folder("records", levels=2),
        config=digest(STUDY.resolved()),
        source=provenance.source_digest(*provenance.STATISTICS_SOURCES),
    shell:
        "python -m amb costs --study {params.study:q} --runs {params.runs:q} --out {output:q}"
        " > {log:q} 2>&1"


# The same as a table.
rule tabulate_efficiency:
    input:
        costs=results("costs.csv"),
    output:
        report(
            results("tables/efficiency.html"),
            caption="../report/efficiency.rst",
            category="Tables",
            labels={"table": "Efficiency", "format": "page"},
        ),
        tables=table_files("efficiency"),
    log:
        results("logs/tabulate_efficiency.log"),
    benchmark:
        results("benchmarks/tabulate_efficiency.tsv")
    params:
        study=STUDY_FILE,
        tables=output_folder("tables"),
        config=digest(STUDY.resolved()),
        source=provenance.source_digest(*provenance.REPORTING_SOURCES),
    shell:
        "python -m amb efficiency --study {params.study:q} --costs {input.costs:q}"
        " --out-dir {params.tables:q} > {log:q} 2>&1"


# What BERT does by where modalities meet (T2), and where and how fusion acts (T3).
for ablation_name, ablation_title in ABLATIONS.items():

    rule:
        name:
            f"tabulate_{ablation_name}"
        input:
            comparison=results("tables/comparison.csv"),
            pairs=results("pairs.csv"),
            costs=results("costs.csv"),
        output:
            report(
                results(f"tables/{ablation_name}.html"),
                caption=f"../report/{ablation_name}.rst",
                category="Tables",
                labels={"table": ablation_title, "format": "page"},
            ),
            tables=table_files(ablation_name),
        log:
            results(f"logs/tabulate_{ablation_name}.log"),
        benchmark:
            results(f"benchmarks/tabulate_{ablation_name}.tsv")
        params:
            **caption_params(),
            study=STUDY_FILE,
            table=ablation_name,
            tables=output_folder("tables"),
            config=digest(STUDY.resolved()),
            source=provenance.source_digest(*provenance.REPORTING_SOURCES),
        shell:
            "python -m amb ablation --study {params.study:q} --comparison {input.comparison:q}"
            " --pairs {input.pairs:q} --costs {input.costs:q} --table {params.table:q}"
            " --out-dir {params.tables:q} > {log:q} 2>&1"


if QUOTED:

    # Numbers that others published on the same data set, set apart: quoted, not run.
    rule quote_published:
        input:
            comparison=results("tables/comparison.csv"),
            published=local(PUBLISHED),
        output:
            report(
                results("tables/published.html"),
                caption="../report/published.rst",
                category="Tables",
                labels={"table": "Published numbers", "format": "page"},
            ),
            tables=QUOTED,
        log:
            results("logs/quote_published.log"),
        benchmark:
            results("benchmarks/quote_published.tsv")
        params:
            study=STUDY_FILE,
            tables=output_folder("tables"),
            config=digest(STUDY.resolved()),
            source=provenance.source_digest(*provenance.REPORTING_SOURCES),
        shell:
            "python -m amb published --study {params.study:q} --comparison {input.comparison:q}"
            " --published {input.published:q} --out-dir {params.tables:q} > {log:q} 2>&1"
