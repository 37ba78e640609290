# Where jobs run elsewhere, these rules run where Snakemake was started: the backbone may have to be
# fetched, which many nodes cannot do, and what is made of stored predictions takes seconds, less than
# a job takes to start. Included last: which rules there are depends on the study.
LOCAL_RULES = {
    *("prepare_backbone", "record_study", "peek", "calibration", "verify", "bundle"),
    *("score_runs", "test_differences", "compare_further", "judge_claims"),
    *("check_controls", "check_known_answer", "rank_by_variant", "collect_costs"),
    *("render_tables", "tabulate_efficiency", "quote_published", "write_page"),
    *("draw_figures", "draw_expected_maximum", "score_robustness", "draw_robustness"),
    *(f"tabulate_{name}" for name in ABLATIONS),
}
workflow.localrules(*(rule.name for rule in workflow.rules if rule.name in LOCAL_RULES))
