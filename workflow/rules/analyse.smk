# From stored predictions alone to scores, tests and verdicts; no torch, no data, no GPU.


# Metrics of every run and split, and their summary over seeds.
rule score_runs:
    input:
        predictions=PREDICTIONS,
    output:
        scores=results("scores.csv"),
        summary=results("summary.csv"),
    log:
        results("logs/score_runs.log"),
    benchmark:
        results("benchmarks/score_runs.tsv")
    params:
        study=STUDY_FILE,
        runs=input_folder("predictions", levels=2),
        config=digest(STUDY.resolved()["statistics"]),
        source=provenance.source_digest(*provenance.STATISTICS_SOURCES),
    shell:
        "python -m amb score --study {params.study:q} --runs {params.runs:q}"
        " --out-scores {output.scores:q} --out-summary {output.summary:q} > {log:q} 2>&1"


# Every row against the reference at both scopes, corrected within the table; and every pair of rows,
# corrected within a metric.
rule test_differences:
    input:
        predictions=PREDICTIONS,
    output:
        comparison=results("comparison.csv"),
        pairs=results("pairs.csv"),
    log:
        results("logs/test_differences.log"),
    benchmark:
        results("benchmarks/test_differences.tsv")
    params:
        study=STUDY_FILE,
        runs=input_folder("predictions", levels=2),
        config=digest(STUDY.resolved()["statistics"]),
        source=provenance.source_digest(*provenance.STATISTICS_SOURCES),
    shell:
        "python -m amb test --study {params.study:q} --runs {params.runs:q}"
        " --out {output.comparison:q} --out-pairs {output.pairs:q} > {log:q} 2>&1"


# Every row against the reference by other means: no verdict and no star depends on them.
rule compare_further:
    input:
        predictions=PREDICTIONS,
    output:
        results("sensitivity.csv"),
    log:
        results("logs/compare_further.log"),
    benchmark:
        results("benchmarks/compare_further.tsv")
    params:
        study=STUDY_FILE,
        runs=input_folder("predictions", levels=2),
        config=digest(STUDY.resolved()["statistics"]),
        source=provenance.source_digest(*provenance.STATISTICS_SOURCES),
    shell:
        "python -m amb sensitivity --study {params.study:q} --runs {params.runs:q} --out {output:q}"
        " > {log:q} 2>&1"


# Control rows must lie where they are known to lie; one out of range fails the run, and its table
# stays.
rule check_controls:
    input:
        predictions=PREDICTIONS,
    output:
        report(
            results("tables/controls.html"),
            caption="../report/controls.rst",
            category="Tables",
            labels={"table": "Controls", "format": "page"},
        ),
        json=results("controls.json"),
        tables=table_files("controls"),
    log:
        results("logs/check_controls.log"),
    benchmark:
        results("benchmarks/check_controls.tsv")
    params:
        study=STUDY_FILE,
        runs=input_folder("predictions", levels=2),
        tables=output_folder("tables"),
        config=digest(STUDY.resolved()),
        source=provenance.source_digest(
            *provenance.STATISTICS_SOURCES, *provenance.REPORTING_SOURCES
        ),
    shell:
        "python -m amb controls --study {params.study:q} --runs {params.runs:q}"
        " --out-json {output.json:q} --out-dir {params.tables:q} > {log:q} 2>&1"


# Rows beside the bounds of generated data; one above its bound fails, after its table is written.
rule check_known_answer:
    input:
        predictions=PREDICTIONS,
        methods=results("methods.json"),
    output:
        report(
            results("tables/known_answer.html"),
            caption="../report/known_answer.rst",
            category="Tables",
            labels={"table": "Known answer", "format": "page"},
        ),
        json=results("known_answer.json"),
        tables=table_files("known_answer"),
    log:
        results("logs/check_known_answer.log"),
    benchmark:
        results("benchmarks/check_known_answer.tsv")
    params:
        study=STUDY_FILE,
        runs=input_folder("predictions", levels=2),
        tables=output_folder("tables"),
        config=digest(STUDY.resolved()),
        source=provenance.source_digest(
            "amb/data/demo/bounds.py",
            *provenance.STATISTICS_SOURCES,
            *provenance.REPORTING_SOURCES,
        ),
    shell:
        "python -m amb known-answer --study {params.study:q} --runs {params.runs:q}"
        " --methods {input.methods:q} --out-json {output.json:q} --out-dir {params.tables:q}"
        " > {log:q} 2>&1"


# The paper's claims, as registered in the claims file, each with a verdict.
rule judge_claims:
    input:
        predictions=PREDICTIONS,
        records=RECORDS,
        claims=local(STUDY.claims_file()),
        published=local(PUBLISHED),
        timings=TIMINGS,
        corrupted=CORRUPTED,
    output:
        results("claims.json"),
    log:
        results("logs/judge_claims.log"),
    benchmark:
        results("benchmarks/judge_claims.tsv")
    params:
        study=STUDY_FILE,
        runs=input_folder("predictions", levels=2),
        config=digest(STUDY.data),
        source=provenance.source_digest(*provenance.CLAIMS_SOURCES),
    shell:
        "python -m amb claims --study {params.study:q} --runs {params.runs:q}"
        " --claims {input.claims:q} --speed {input.timings:q} --out-json {output:q} > {log:q} 2>&1"


# How the rows' order moves with the definition of a metric, from the same predictions.
rule rank_by_variant:
    input:
        predictions=PREDICTIONS,
    output:
        report(
            results("tables/metric_variants.html"),
            caption="../report/metric_variants.rst",
            category="Tables",
            labels={"table": "Metrics by definition", "format": "page"},
        ),
        tables=table_files("metric_variants"),
    log:
        results("logs/rank_by_variant.log"),
    benchmark:
        results("benchmarks/rank_by_variant.tsv")
    params:
        **caption_params(),
        study=STUDY_FILE,
        runs=input_folder("predictions", levels=2),
        tables=output_folder("tables"),
        config=digest(STUDY.resolved()),
        source=provenance.source_digest(
            *provenance.STATISTICS_SOURCES, *provenance.REPORTING_SOURCES
        ),
    shell:
        "python -m amb metrics rank-by-variant --study {params.study:q} --runs {params.runs:q}"
        " --out {params.tables:q} > {log:q} 2>&1"
