# The search for each row's recipe, where the study has a section `tuning` (docs/tuning.md). Labels
# of the test split are not among the inputs.
for method in STUDY.tuned_rows():

    # The trials lie in a file that is no output: a killed search goes on with it.
    rule:
        name:
            f"tune_{method}"
        input:
            store=[results(f"store/{name}") for name in STORE_FILES],
            backbone=[results(f"backbone/{name}") for name in BACKBONE_FILES],
        output:
            search=results(f"tuned/{method}.json"),
            study=results(f"tuned/{method}.yaml"),
        log:
            results(f"logs/tune_{method}.log"),
        benchmark:
            results(f"benchmarks/tune_{method}.tsv")
        resources:
            **tuning_need(method),
            gpu=1,
        params:
            study=STUDY_FILE,
            store=input_folder("store"),
            backbone=input_folder("backbone"),
            storage=results(f"tuning/{method}.db"),
            method=method,
            trials=STUDY.tuning.trials,
            config=digest(
                [STUDY.training_view(method), STUDY.tuning.search_view(method)]
            ),
            source=[
                provenance.training_digest(STUDY.methods[method].builder),
                provenance.source_digest("amb/tuning"),
            ],
        shell:
            "python -m amb tune --study {params.study:q} --store {params.store:q}"
            " --backbone {params.backbone:q} --method {params.method:q} --trials {params.trials}"
            " --storage {params.storage:q} --out {output.search:q} --gpus {resources.gpu}"
            " > {log:q} 2>&1"


# Only independent trials have an expected maximum.
if "expected_maximum" in [figure.name for figure in FIGURES]:

    # What a search of so many trials is expected to find.
    rule draw_expected_maximum:
        input:
            searches=SEARCHES,
        output:
            report(
                results("figures/expected_maximum.png"),
                caption="../report/expected_maximum_figure.rst",
                category="Figures",
                labels={"figure": "Expected maximum", "format": "PNG"},
            ),
            pdf=results("figures/expected_maximum.pdf"),
        log:
            results("logs/draw_expected_maximum.log"),
        benchmark:
            results("benchmarks/draw_expected_maximum.tsv")
        params:
            study=STUDY_FILE,
            searches=input_folder("searches"),
            figures=results("figures"),
            config=digest(STUDY.resolved()),
            source=provenance.source_digest(
                "amb/statistics/expected_maximum.py",
                "amb/reporting/figures/expected_maximum.py",
                *provenance.REPORTING_SOURCES,
            ),
        shell:
            "python -m amb expected-maximum --study {params.study:q} --tuned {params.searches:q}"
            " --out-dir {params.figures:q} > {log:q} 2>&1"
