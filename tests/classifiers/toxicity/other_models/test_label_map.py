"""Label maps say what other models' outputs mean, and are checked before they are used."""

from pathlib import Path

import numpy as np
import pytest

from classifiers.errors import ModelError
from classifiers.labels import LABELS
from classifiers.toxicity.other_models.label_map import (
    TARGETS,
    combine,
    known_maps,
    membership,
    read_map,
    write_own_map,
)

HEAD = 'model = "proef/een"\nfamily = "proef"\nactivation = "sigmoid"\n'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "vangnet_labels.toml"


def test_the_public_models_are_known() -> None:
    """The four that the documentation names, each with what is known of it and what was not checked."""
    known = {one.model: one for one in known_maps()}
    assert set(known) == {
        "ml6team/robbert-dutch-base-toxic-comments",
        "GroNLP/bert_dutch_base_offensive_language",
        "IMSyPP/hate_speech_nl",
        "citizenlab/distilbert-base-multilingual-cased-toxicity",
    }
    assert all(one.note and one.license and one.unverified for one in known.values())
    assert len({one.family for one in known.values()}) == 4


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("model = ", "malformed"),
        (HEAD, "outputs"),
        (HEAD + '[[outputs]]\nnames = ["x"]\nlabels = ["onzin", "melden"]', "onzin"),
        (HEAD + '[[outputs]]\nnames = ["x"]\nlabels = ["pesten"]', "nothing would ever be flagged"),
        (HEAD + 'kleur = "rood"\n[[outputs]]\nnames = ["x"]\nlabels = ["melden"]', "kleur"),
    ],
)
def test_a_malformed_map_is_named(path: Path, content: str, says: str) -> None:
    """People write these files: the text says which file and what in it."""
    path.write_text(content)
    with pytest.raises(ModelError, match=says) as caught:
        read_map(path)
    assert str(path) in str(caught.value)


def test_a_missing_map_is_named(path: Path) -> None:
    """No file, a sentence."""
    with pytest.raises(ModelError, match="cannot read"):
        read_map(path)


def test_a_trained_model_s_own_map_is_the_labels_themselves(path: Path) -> None:
    """What training writes can be read, and maps each output to the label of its name."""
    write_own_map(path.parent, 'naam "met" tekens', 128)
    found = read_map(path)
    assert (found.context, found.max_tokens) == (True, 128)
    names = dict(enumerate(TARGETS))
    assert (membership(found, names) == np.eye(len(TARGETS))).all()


def test_outputs_of_which_one_holds_add_up_and_others_compete(path: Path) -> None:
    """A message is offensive or violent: 0.4 and 0.5 make 0.9. Independent outputs give the surest."""
    text = '[[outputs]]\nnames = ["a"]\nlabels = ["flamen", "melden"]\n[[outputs]]\nnames = ["b"]\nlabels = ["melden"]'
    outputs = np.array([[0.4, 0.5, 0.1]], dtype=np.float32)
    for activation, expected in (("sigmoid", 0.5), ("softmax", 0.9)):
        path.write_text(HEAD.replace("sigmoid", activation) + text)
        found = read_map(path)
        row = combine(found, outputs, membership(found, {0: "A", 1: "b", 2: "c"}))[0]
        assert row[-1] == pytest.approx(expected)
        assert row[TARGETS.index("flamen")] == pytest.approx(0.4)
        assert row.shape == (len(LABELS) + 1,)
