"""Other people's checkpoints are loaded by the real code and read through their label maps."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from classifiers.engine import open_scorer
from classifiers.errors import ModelError
from classifiers.findings import ScoringInput, Utterance
from classifiers.labels import LABELS, Label
from classifiers.toxicity.other_models.hub import LABELS_FILE
from classifiers.toxicity.other_models.label_map import TARGETS, find_map, write_own_map
from classifiers.toxicity.other_models.model import OtherModel, open_other
from classifiers.toxicity.other_models.text_pair import as_pair
from tests.classifiers.toxicity.other_models.checkpoints import LONGEST, tiny_other

PUBLIC = {
    "ml6team/robbert-dutch-base-toxic-comments": ("roberta", ["non-toxic", "toxic"]),
    "GroNLP/bert_dutch_base_offensive_language": ("bert", ["LABEL_0", "LABEL_1"]),
    "IMSyPP/hate_speech_nl": ("bert", ["LABEL_0", "LABEL_1", "LABEL_2", "LABEL_3"]),
    "citizenlab/distilbert-base-multilingual-cased-toxicity": ("distilbert", ["not_toxic", "toxic"]),
}


def said(text: str, *before: str) -> ScoringInput:
    return ScoringInput(Utterance(text, "a"), tuple(Utterance(one, "b") for one in before))


@pytest.fixture
def saved(tmp_path: Path) -> Callable[[str], Path]:
    """Save a tiny model under a public one's name."""

    def save(hub_id: str) -> Path:
        kind, names = PUBLIC[hub_id]
        return tiny_other(tmp_path / hub_id.rpartition("/")[2], kind, names)

    return save


@pytest.mark.parametrize("hub_id", PUBLIC)
def test_a_public_model_gives_its_own_probabilities_under_our_labels(saved: Callable[[str], Path], hub_id: str) -> None:
    """The same figures as transformers' own pipeline gives: for toxic, or for the sum of the worse classes."""
    folder = saved(hub_id)
    model = open_other(str(folder))
    texts = ["wat een weer", "jij bent zo dom", "", "haha 😂"]
    found = model.score([said(text, "hoi") for text in texts])
    network = AutoModelForSequenceClassification.from_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    for text, row in zip(texts, found, strict=True):
        with torch.inference_mode():
            own = network(**tokenizer(text, return_tensors="pt")).logits.softmax(-1)[0].numpy()
        bad = own[2:].sum() if len(own) == 4 else own[1]
        assert row[-1] == pytest.approx(bad, abs=1e-5)
        threat = own[3] if len(own) == 4 else 0
        assert row[LABELS.index(Label.THREAT)] == pytest.approx(threat, abs=1e-5)
        assert row[LABELS.index(Label.PERSONAL_DATA)] == 0
    assert model.version.partition(":")[0] == find_map(folder, hub_id).family


def test_the_engine_opens_a_folder_by_one_setting(saved: Callable[[str], Path]) -> None:
    """`VANGNET_MODEL=folder` is all there is to it: scores, personal data and explanations work as with our own."""
    scorer = open_scorer(saved("IMSyPP/hate_speech_nl"))
    (found,) = scorer.score([said("mijn nummer is 06-28471935")])
    assert found.model.startswith("imsypp-hate-speech:")
    assert found.scores[Label.PERSONAL_DATA] > 0.6
    (why,) = scorer.explain([said("wat een sukkel")], [Label.FLAMING])
    assert why.label is Label.FLAMING


def own(folder: Path, kind: str = "roberta") -> Path:
    """As `vangnet train --base` saves it."""
    tiny_other(folder, kind, list(TARGETS))
    write_own_map(folder, "proef/eigen", LONGEST)
    return folder


@pytest.mark.parametrize("kind", ["roberta", "bert", "distilbert"])
def test_a_model_trained_on_the_corpus_reads_the_conversation(tmp_path: Path, kind: str) -> None:
    """Each label is its own output, and what was said before changes the figures."""
    model = open_other(str(own(tmp_path / "model", kind)))
    alone, after = model.score([said("haha"), said("haha", "jij stinkt")])
    assert alone.shape == (11,)
    assert not np.allclose(alone, after, atol=1e-4)
    assert len(set(np.round(alone, 6))) == 11


def test_batching_changes_nothing(tmp_path: Path) -> None:
    """Each message scores the same alone and among others, in the order given."""
    model = open_other(str(own(tmp_path / "model")))
    inputs = [said("x" * (number % 7) + " hoi", *["dag"] * (number % 3)) for number in range(40)]
    together = model.score(inputs)
    for one, row in zip(inputs[:9], together, strict=False):
        np.testing.assert_allclose(model.score([one])[0], row, atol=1e-5)
    assert model.score([]).shape == (0, 11)


def test_a_message_with_too_many_tokens_is_read_to_its_end(tmp_path: Path) -> None:
    """It is judged in pieces and the gravest counts; a long conversation gives way to it."""
    model = open_other(str(own(tmp_path / "model")))
    long = "een twee drie vier " * 20
    plain, ending = model.score([said(long), said(long + "zwam!")])
    assert not np.allclose(plain, ending)
    (found,) = model.score([said(long, "voor " * 100)])
    assert np.isfinite(found).all()


def test_a_long_conversation_loses_its_oldest_end(tmp_path: Path) -> None:
    """What stands nearest is read; what no longer fits changes nothing."""
    model = open_other(str(own(tmp_path / "model")))
    old, other, near = model.score(
        [
            said("haha", "aap", *["noot mies"] * 12, "wim"),
            said("haha", "zus", *["noot mies"] * 12, "wim"),
            said("haha", "aap", *["noot mies"] * 12, "jet"),
        ]
    )
    np.testing.assert_allclose(old, other, atol=1e-6)
    assert not np.allclose(old, near, atol=1e-5)


def test_speakers_are_told_apart() -> None:
    """The author is `ik`, a teacher `docent`, others letters in order of appearance."""
    before = (
        Utterance("hoi", "x1"),
        Utterance("stil", "y9", role="teacher"),
        Utterance("nee", "me"),
        Utterance("ok", "x2"),
        Utterance("ja", "x1"),
    )
    context, message = as_pair(ScoringInput(Utterance("haha", "me"), before))
    assert context == "A: hoi | docent: stil | ik: nee | B: ok | A: ja"
    assert message == "haha"


def test_a_model_of_which_nobody_said_what_it_means_is_refused(tmp_path: Path) -> None:
    """The text says which file to write, and the same folder with the file is read."""
    folder = tiny_other(tmp_path / "onbekend", "bert", ["goed", "fout"])
    with pytest.raises(ModelError, match=LABELS_FILE):
        open_other(str(folder))
    (folder / LABELS_FILE).write_text(
        'model = "onbekend"\nfamily = "onbekend"\nactivation = "softmax"\n'
        '[[outputs]]\nnames = ["Fout"]\nlabels = ["pesten", "melden"]\n'
    )
    (found,) = open_other(str(folder)).score([said("hoi")])
    assert found[LABELS.index(Label.BULLYING)] == found[-1] > 0


def test_a_checkpoint_is_known_by_the_name_in_its_config(tmp_path: Path) -> None:
    """A folder under another name that says where it came from needs no file of its own."""
    folder = tiny_other(tmp_path / "elders", "bert", PUBLIC["IMSyPP/hate_speech_nl"][1])
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "_name_or_path": "IMSyPP/hate_speech_nl"}))
    assert open_other(str(folder)).version.startswith("imsypp-hate-speech:")


def test_outputs_that_the_map_does_not_know_are_refused(tmp_path: Path) -> None:
    """A newer version of a public model with other outputs is not read by the wrong ones."""
    folder = tiny_other(tmp_path / "hate_speech_nl", "bert", ["a", "b", "c", "d"])
    with pytest.raises(ModelError, match="a, b, c, d"):
        open_other(str(folder))


def test_a_pretrained_encoder_is_no_classifier(tmp_path: Path) -> None:
    """Random heads judge nobody; the text says how to train one."""
    folder = tiny_other(tmp_path / "hate_speech_nl", "bert", ["a", "b", "c", "d"], head=False)
    with pytest.raises(ModelError, match="vangnet train --base"):
        open_other(str(folder))


def test_damaged_weights_are_a_sentence(saved: Callable[[str], Path]) -> None:
    """A file cut short is a clear error, and so is none at all."""
    folder = saved("IMSyPP/hate_speech_nl")
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ModelError, match="whole weights"):
        open_other(str(folder))
    path.unlink()
    with pytest.raises(ModelError, match="no weights"):
        open_other(str(folder))


def test_weights_of_the_older_form_are_read(saved: Callable[[str], Path]) -> None:
    """Some public models come as pytorch_model.bin only."""
    folder = saved("IMSyPP/hate_speech_nl")
    before = open_other(str(folder)).score([said("hoi")])
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    np.testing.assert_allclose(open_other(str(folder)).score([said("hoi")]), before, atol=1e-6)


def test_the_version_follows_the_weights(tmp_path: Path) -> None:
    """Another training run is another version in the record of a flag."""
    folder = own(tmp_path / "model")
    label_map = find_map(folder)
    first = OtherModel.load(folder, label_map).version
    network = AutoModelForSequenceClassification.from_pretrained(folder)
    with torch.no_grad():
        network.classifier.out_proj.bias += 1
    network.save_pretrained(folder)
    assert OtherModel.load(folder, label_map).version != first
