"""Fits the stack of encoder and n-gram stage on messages that neither was trained on."""

from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression

from classifiers.corpus.conversations import scoring_inputs
from classifiers.corpus.load import VALIDATION, load_corpus
from classifiers.toxicity.encoder import EncoderModel
from classifiers.toxicity.ngram import NgramModel
from classifiers.toxicity.stacking import Numbers, Stack, log_odds
from classifiers.toxicity.training_data import target


def fit(encoder: Numbers, ngram: Numbers, targets: Numbers, versions: tuple[str, str]) -> Stack:
    """Fit a stack.

    Args:
        encoder: (n, 11) log-odds of the encoder.
        ngram: (n, 11) log-odds of the n-gram stage.
        targets: (n, 11) zeros and ones, the last column "any".
        versions: Of the encoder and of the n-gram stage.
    """
    both = np.concatenate([encoder, ngram], axis=1)
    outputs = targets.shape[1]
    weights = np.zeros((outputs, 2 * outputs))
    bias = np.zeros(outputs)
    for output in range(outputs):
        last = output == outputs - 1
        # A label with few examples must not be fitted on many inputs; "any" has enough.
        columns = list(range(2 * outputs)) if last else [output, outputs + output]
        layer = LogisticRegression(C=0.1 if last else 1.0, max_iter=5000).fit(both[:, columns], targets[:, output])
        weights[output, columns] = layer.coef_[0]
        bias[output] = layer.intercept_[0]
    return Stack(versions[0], versions[1], tuple(map(tuple, weights.round(5).tolist())), tuple(bias.round(5).tolist()))


def fit_on_validation(folder: Path, encoder: EncoderModel, ngram: NgramModel) -> Stack:
    """Fit the stack of a checkpoint on the corpus' validation lines and write it into its folder.

    Args:
        folder: The checkpoint, unchanged but for `stack.json`.
        encoder: Its model, in the runtime in which it will be used.
        ngram: The shipped n-gram stage.
    """
    lines = [line for line in load_corpus() if line.split == VALIDATION]
    inputs = list(scoring_inputs(lines))
    targets = np.array([target(line) for line in lines], np.float32)
    versions = (encoder.version, ngram.version)
    stack = fit(encoder.logits(inputs), log_odds(ngram.score(inputs)), targets, versions)
    stack.save(folder)
    return stack
