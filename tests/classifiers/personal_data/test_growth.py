"""A long or hostile message costs time in proportion to its length, never its square, whatever it is made of."""

import importlib
import pkgutil
import re
import time
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from classifiers import personal_data
from classifiers.findings import Utterance
from classifiers.personal_data import find
from classifiers.personal_data.words import WordPattern

_LENGTH = 100_000
_PART = _LENGTH // 4
_GROWTH = 7.0
"""Four times the text may cost this many times the work: four in theory, sixteen when it is quadratic."""
_PIECES = (
    "06 ",
    "0",
    "1-",
    "+31",
    "nul ",
    "zes",
    "nulzes",
    "o6l",
    "dan ",
    "nog een ",
    "@",
    "a@",
    "a.b@c.",
    "x.",
    "punt ",
    "apestaart ",
    "at ",
    "straat 1 ",
    "Van de ",
    "A",
    "Aa ",
    "A.",
    "laan",
    "1234 AB ",
    "woont op de ",
    "NL",
    "NL12 ABNA ",
    "bsn ",
    "9 ",
    "12-",
    "1-1-",
    "geboren ",
    "4 mei ",
    "XX-",
    "X 9 ",
    "ww ",
    "ww is ",
    "code ",
    " / ",
    "a/B",
    "insta ",
    "_",
    "x_1",
    "#",
    "#1234",
    "http://",
    "maps",
    "///a.b",
    "52.1234",
    "tikkie.me/pay/",
    "\n",
    " ",
    ",",
    "(",
    "🔥",
    "\ufe0f\u20e3",
    "é",
    "ё",
    "leerlingnummer ",
    "id ",
    "1 ",
    "Aa Bb ",
    "https://maps.google.com/",
)


def _modules() -> Iterator[Any]:
    for found in pkgutil.walk_packages(personal_data.__path__, "classifiers.personal_data."):
        yield importlib.import_module(found.name)


def _patterns() -> list[tuple[str, re.Pattern[str]]]:
    found = []
    for module in _modules():
        for name, value in vars(module).items():
            if isinstance(value, WordPattern):
                found.append((f"{module.__name__}.{name}", value.pattern))
            elif isinstance(value, re.Pattern):
                found.append((f"{module.__name__}.{name}", value))
    return found


def _repeats(tree: Iterable[tuple[Any, Any]]) -> Iterator[tuple[str, int, bool]]:
    """Give every repeat in a parsed pattern: its kind, its greatest count, and whether anything follows it."""
    items = list(tree)
    for at, (operator, argument) in enumerate(items):
        name = str(operator)
        if name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
            yield name, int(argument[1]), at + 1 < len(items)
            yield from _repeats(argument[2])
        elif name == "SUBPATTERN":
            yield from _repeats(argument[-1])
        elif name == "ATOMIC_GROUP":
            yield from _repeats(argument)
        elif name == "BRANCH":
            for branch in argument[1]:
                yield from _repeats(branch)
        elif name in ("ASSERT", "ASSERT_NOT"):
            yield from _repeats(argument[1])


@pytest.mark.parametrize(("name", "pattern"), _patterns(), ids=lambda value: value if isinstance(value, str) else "")
def test_no_pattern_repeats_without_an_end(name: str, pattern: re.Pattern[str]) -> None:
    """Every repeat that could give characters back has a bound: one starting place costs a bounded amount of work."""
    parser = importlib.import_module("re._parser")
    for kind, most, followed in _repeats(parser.parse(pattern.pattern, pattern.flags)):
        free = kind == "POSSESSIVE_REPEAT" or (kind == "MAX_REPEAT" and not followed)
        assert free or most <= 200, f"{name} repeats without a bound"


def test_the_check_on_repeats_sees_a_bad_pattern() -> None:
    """A pattern of the catastrophic kind is noticed."""
    parser = importlib.import_module("re._parser")
    assert any(most > 200 and followed for _, most, followed in _repeats(parser.parse(r"(?:a+)+b")))


def _work(text: str, times: int) -> float:
    """Processor time of this process for one message, the least of some tries; other processes do not count."""
    least = float("inf")
    before = [Utterance("wat is je adres en bsn en wachtwoord en snap", "b")]
    for _ in range(times):
        start = time.process_time()
        find(text, before, "a")
        least = min(least, time.process_time() - start)
    return least


def _growth(part: str, whole: str) -> float:
    """How many times the first text's work the second costs; measured again when the first look is out of bounds."""
    _work(part[:1000], 1)  # lists are read once
    for times in (1, 3):
        ratio = _work(whole, times) / (_work(part, times) + 0.005)
        if ratio <= _GROWTH:
            break
    return ratio


@settings(max_examples=5, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from(_PIECES), min_size=1, max_size=5), st.sampled_from(_PIECES))
def test_four_times_the_text_costs_about_four_times_the_work(unit: list[str], tail: str) -> None:
    """Work on 100,000 hostile characters is at most seven times the work on the first quarter of them."""
    period = "".join(unit)
    long = (period * (_LENGTH // len(period) + 1))[:_LENGTH]
    assert _growth(long[:_PART] + tail, long + tail) <= _GROWTH, f"grows faster than its length: {period!r}"


@pytest.mark.parametrize("piece", _PIECES, ids=repr)
def test_a_repeated_piece_grows_linearly(piece: str) -> None:
    """No single piece, repeated to 100,000 characters, makes the work grow with the square."""
    long = (piece * (_LENGTH // len(piece) + 1))[:_LENGTH]
    assert _growth(long[:_PART], long) <= _GROWTH
