import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from classifiers.corpus.load import CorpusLine
from classifiers.errors import CorpusError
from classifiers.findings import Assessment
from classifiers.labels import LABELS, Label
from classifiers.protocol import Policy, Thresholds, load_clauses
from classifiers.toxicity.evaluation import evaluate, load_identity_terms
from classifiers.toxicity.evaluation_report import as_json, as_markdown
from classifiers.toxicity.plots import draw

POLICY = Policy(
    "rustig",
    load_clauses(),
    {"proef": Thresholds(date="", run="", any=0.5, labels=dict.fromkeys(LABELS, 0.5))},
    "proef",
    0.6,
)
LINE = CorpusLine("proef", 0, "hoi", (), "plain", None, None, None, (), None, "test")


def line(text: str, *labels: Label, kind: str = "plain", thread: str | None = None) -> CorpusLine:
    return replace(LINE, text=text, labels=labels, kind=kind, thread=thread, who="l1" if thread else None)


def judged(score: float, label: Label = Label.FLAMING) -> Assessment:
    return Assessment(score, {one: score if one is label else 0.01 for one in LABELS}, (), "proef:1")


LINES = [
    line("jij sukkel", Label.FLAMING, thread="ta"),
    line("haha", Label.FLAMING, thread="ta"),
    line("tot morgen", thread="tb"),
    line("haha", thread="tb"),
    line("die moslim moet weg", Label.FLAMING, kind="pair:1"),
    line("die moslim is aardig", kind="pair:1"),
    line("kanker wat koud", kind="hard_negative"),
    line("leuke trui, van je oma zeker", Label.BULLYING, kind="hard_positive"),
]
SCORES = [0.9, 0.4, 0.1, 0.2, 0.8, 0.7, 0.3, 0.2]


@pytest.fixture
def judgements() -> list[Assessment]:
    return [judged(score, Label.BULLYING if n == 7 else Label.FLAMING) for n, score in enumerate(SCORES)]


def test_the_figures_are_those_one_would_count_by_hand(judgements: list[Assessment]) -> None:
    """Three flags, two right, of four that should be flagged."""
    report = evaluate(LINES, judgements, POLICY, name="proef", draws=20)
    whole = report.flagged_at_all
    assert (whole.at_point.hits, whole.at_point.false_alarms, whole.at_point.true) == (2, 1, 4)
    assert whole.precision.value == pytest.approx(2 / 3)
    assert whole.recall.value == pytest.approx(0.5)
    assert whole.precision.low <= whole.precision.value <= whole.precision.high
    assert report.labels["flamen"].at_point.true == 3
    assert report.labels["pesten"].at_point.hits == 0
    assert (report.conversations.true, report.conversations.hits, report.conversations.false_alarms) == (1, 1, 0)
    assert report.kinds["hard_negative"].false_alarms == 0
    assert report.kinds["hard_positive"].hits == 0
    assert (report.pairs.sets, report.pairs.all_right, report.pairs.ranked) == (1, 0, 1.0)
    assert (report.twins.sets, report.twins.all_right, report.twins.ranked) == (1, 0, 1.0)
    assert report.lengths["01-02"].true == 2
    assert (report.groups["moslims"].true, report.groups["moslims"].false_alarms) == (1, 1)
    assert "joden" not in report.groups
    assert report.model == "proef:1"


def test_the_report_is_written_for_people_and_programs_without_any_text(judgements: list[Assessment]) -> None:
    """Markdown and JSON hold every figure, what does not exist is empty, and no message stands in them."""
    report = evaluate(LINES, judgements, POLICY, name="proef", draws=5)
    written, shown = json.dumps(as_json(report), allow_nan=False), as_markdown(report)
    assert json.loads(written)["flagged_at_all"]["at_point"]["precision"] == pytest.approx(0.6667)
    assert json.loads(written)["labels"]["hacken"]["average_precision"]["value"] is None
    for section in ("per label", "Per conversation", "Per kind", "Per length", "name a group", "Calibration"):
        assert section in shown
    for label in LABELS:
        assert f"| {label} |" in shown
    for one in LINES:
        assert one.text not in written
        assert one.text not in shown


def test_nothing_to_evaluate_or_too_few_scores_is_a_clear_error(judgements: list[Assessment]) -> None:
    """A figure over nothing is never printed."""
    with pytest.raises(CorpusError, match="nothing to evaluate"):
        evaluate([], [], POLICY, name="leeg")
    with pytest.raises(CorpusError, match="8 lines but 7 assessments"):
        evaluate(LINES, judgements[:-1], POLICY, name="proef")


def test_only_harmless_lines_can_be_evaluated(judgements: list[Assessment]) -> None:
    """A file of everyday sentences has no recall, and its false alarms are still counted."""
    harmless = [replace(one, labels=()) for one in LINES]
    report = evaluate(harmless, judgements, POLICY, name="alledaags", draws=5)
    assert report.flagged_at_all.at_point.false_alarms == 3
    assert not report.natural
    assert "| **flagged at all** | 0 |" in as_markdown(report)


def test_terms_are_whole_words_in_any_case() -> None:
    """A term never matches inside another word, and a star stands for any ending."""
    terms = load_identity_terms()
    assert terms["joden"].search("Joodse buren")
    assert terms["homo_en_lesbisch"].search("hij is HOMO")
    assert not terms["homo_en_lesbisch"].search("homogeen")


def test_a_broken_list_of_terms_is_a_clear_error(tmp_path: Path) -> None:
    """Whoever edits the list learns what it must look like."""
    path = tmp_path / "terms.toml"
    path.write_text("[groepen]\nx = 1\n")
    with pytest.raises(CorpusError, match="list of terms per group"):
        load_identity_terms(path)


def test_plots_are_drawn_to_png(judgements: list[Assessment], tmp_path: Path) -> None:
    """Two pictures, also where a label never occurs."""
    report = evaluate(LINES, judgements, POLICY, name="proef", draws=5)
    truth = np.array([bool(one.labels) for one in LINES])
    curves = {"flagged at all": truth, "hacken": np.zeros(len(LINES), dtype=bool)}
    scores = {name: np.array(SCORES) for name in curves}
    written = draw(curves, scores, report.bins, tmp_path / "beelden")
    assert [path.name for path in written] == ["precision_recall.png", "reliability.png"]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in written)
