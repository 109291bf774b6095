"""The Dutch texts."""

import ast
import re
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import pytest

import dashboards
from classifiers.labels import LABELS
from classifiers.personal_data.recognizers import __path__ as recognizers
from dashboards.access import Role
from dashboards.errors import TextMissingError
from dashboards.groups.pages import PLATFORMS
from dashboards.site import MENU
from dashboards.texts import SCHOOL_TIME, Texts, decimal, load_texts, whole
from pipeline.groups import GroupState
from pipeline.review.cases import load_rules
from pipeline.review.records import AuditAction, Outcome

HOME = Path(dashboards.__file__).parent
VALUES: dict[str, list[str]] = {
    "audit": [action.value for action in AuditAction],
    "case": ["pupil", "teacher", "parent"],
    "group_state": [state.value for state in GroupState],
    "label": [label.value for label in LABELS],
    "outcome": [outcome.value for outcome in Outcome],
    "outcome_help": [outcome.value for outcome in Outcome],
    "role": [role.value for role in Role],
    "severity": ["1", "2", "3", "4"],
    "weekday": [str(day) for day in range(1, 8)],
    "month": [str(month) for month in range(1, 13)],
}
"""Stored values that pages put behind a prefix; each must have its text."""
OPEN_ENDED = {"raised", "recognized", "parked_reason", "platform"}
"""Prefixes whose values come from data that may grow; the value itself is shown when there is no text yet."""
IN_PARTS = {"absent", "unavailable", "failure"}
"""`title` and `body` of a notice, by its name."""
_CALL = re.compile(r"""\bt(?:exts)?\(\s*"([a-z_.]+)"\s*[,)]""")
_NUMBER = re.compile(r"""\.number\(\s*"([a-z_.]+)"\s*,""")


@pytest.fixture(scope="module")
def texts() -> Texts:
    return load_texts()


def used() -> Iterator[str]:
    """Names of texts that templates and modules ask for."""
    for template in (HOME / "templates").glob("*.html"):
        content = template.read_text()
        yield from _CALL.findall(content)
        for name in _NUMBER.findall(content):
            yield from (f"{name}.one", f"{name}.many")
    for module in HOME.rglob("*.py"):
        for node in ast.walk(ast.parse(module.read_text())):
            if isinstance(node, ast.Call):
                yield from _asked(node)
            elif isinstance(node, ast.Constant) and re.fullmatch(r"(refused|age)\.[a-z_]+", str(node.value)):
                name = str(node.value)
                yield from (f"{name}.one", f"{name}.many") if name.startswith("age.") and name != "age.now" else (name,)
    for entries in MENU.values():
        yield from (name for name, _ in entries)
    for prefix, values in VALUES.items():
        yield from (f"{prefix}.{value}" for value in values)
    for name in IN_PARTS:
        yield from (f"{name}.title", f"{name}.body")


def _asked(call: ast.Call) -> Iterator[str]:
    """What one call asks for: a text, one of two texts, or `done=` of a redirect."""
    function = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
    if function == "texts" and call.args:
        yield from _constants(call.args[0])
    if function == "go":
        for keyword in call.keywords:
            if keyword.arg == "done":
                yield from (f"done.{name}" for name in _constants(keyword.value))


def _constants(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.IfExp):
        yield from _constants(node.body)
        yield from _constants(node.orelse)
    elif isinstance(node, ast.Constant):
        yield str(node.value)


def test_no_text_is_missing(texts: Texts) -> None:
    """Every text that a page asks for is there."""
    assert sorted(set(used()) - set(texts.by_name)) == []


def test_no_text_is_unused(texts: Texts) -> None:
    """A text that no page asks for is removed with the page that did."""
    unused = set(texts.by_name) - set(used())
    assert sorted(name for name in unused if name.partition(".")[0] not in OPEN_ENDED) == []


def test_no_template_holds_dutch_of_its_own() -> None:
    """Templates hold no words outside `t(...)`: all Dutch is in one file."""
    for template in (HOME / "templates").glob("*.html"):
        content = re.sub(r"\{[{%#].*?[}%#]\}", "", template.read_text(), flags=re.DOTALL)
        words = re.sub(r"<[^>]*>", "", content)
        assert not re.search(r"[A-Za-z]{2,}", words), template.name


def test_known_values_have_a_text_of_their_own(texts: Texts) -> None:
    """What the shipped rules, recognizers and connectors name is said in Dutch."""
    for rule in load_rules().raise_:
        assert f"raised.{rule.name}" in texts.by_name
    for platform in PLATFORMS:
        assert f"platform.{platform}" in texts.by_name
    for module in Path(recognizers[0]).glob("*.py"):
        if module.stem not in ("__init__", "base"):
            assert f"recognized.{module.stem}" in texts.by_name, module.stem


def test_a_missing_text_or_place_is_an_error(texts: Texts) -> None:
    """A page with a hole in it never gets to a reader."""
    with pytest.raises(TextMissingError, match=r"bestaat\.niet"):
        texts("bestaat.niet")
    with pytest.raises(TextMissingError, match=r"queue\.oldest"):
        texts("queue.oldest")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "zojuist"),
        (59.9, "zojuist"),
        (60, "1 minuut"),
        (150, "2 minuten"),
        (3600, "1 uur"),
        (7200, "2 uur"),
        (86_400, "1 dag"),
        (1_000_000, "11 dagen"),
    ],
)
def test_ages_are_said_in_words(texts: Texts, seconds: float, words: str) -> None:
    """Rounded down, in the largest fitting unit."""
    assert texts.age(seconds) == words


def test_times_are_those_of_the_netherlands(texts: Texts) -> None:
    """Summer and winter time, Dutch names of days and months."""
    winter = datetime(2026, 1, 5, 9, 7, tzinfo=SCHOOL_TIME).timestamp()
    summer = datetime(2026, 7, 31, 23, 59, tzinfo=SCHOOL_TIME).timestamp()
    assert texts.moment(winter) == "ma 5 jan 09:07"
    assert texts.moment(summer) == "vr 31 jul 23:59"
    assert texts.full_day(summer) == "31 jul 2026"
    assert texts.clock(winter) == "09:07"
    assert texts.day(date(2026, 3, 1)) == "zo 1 mrt"


def test_numbers_are_written_as_the_dutch_write_them() -> None:
    """Points between thousands, a comma before the decimals."""
    assert (whole(1_234_567), whole(12), decimal(0.914)) == ("1.234.567", "12", "0,91")
