from pathlib import Path
from types import SimpleNamespace

import jinja2
import pytest

from amb.reporting.figures.figure_list import FIGURES

FOLDER = Path(__file__).parents[2] / "workflow" / "report"
# What the rules give their captions: the three of every study, and those of single rules.
PARAMS = SimpleNamespace(
    seeds="5 to 10",
    alpha=0.05,
    reference="Fine-tuned BERT",
    metric="MAE",
    draws=3,
    replicates=3000,
)


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.rst")), ids=lambda file: file.name)
def test_caption_renders_with_the_parameters_of_the_workflow(file):
    template = jinja2.Template(file.read_text(encoding="utf-8"), undefined=jinja2.StrictUndefined)
    text = template.render(snakemake=SimpleNamespace(params=PARAMS))
    assert len(text) > 80
    assert "{{" not in text


def test_all_captions_exist():
    names = {
        "comparison_table",
        "claims",
        "controls",
        "metric_variants",
        "workflow",
    }
    names |= {f"{figure.name}_figure" for figure in FIGURES}
    assert names <= {file.stem for file in FOLDER.glob("*.rst")}
