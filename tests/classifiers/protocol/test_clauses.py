import re
from pathlib import Path

import pytest

from classifiers.errors import ProtocolError
from classifiers.labels import LABELS, Label
from classifiers.protocol import Severity, load_clauses
from classifiers.protocol.clauses import CLAUSES


def test_the_clauses_are_those_of_the_guide() -> None:
    """Each label rests on the clauses that the corpus guide names for it."""
    protocol = load_clauses()
    assert {label.value: protocol.clauses_for([label]) for label in LABELS} == {
        "seksueel": ("5.1.h.I",),
        "discriminatie": ("5.1.h.I",),
        "hacken": ("5.1.h.II",),
        "ongeoorloofd_delen": ("5.1.h.III",),
        "nepbericht": ("5.1.h.IV",),
        "flamen": ("5.1.h.V",),
        "lastigvallen": ("5.1.h.V", "5.1.i"),
        "pesten": ("5.1.i",),
        "bedreiging": ("5.1.i", "7.c"),
        "persoonsgegevens": ("5.1.c", "5.1.h.III"),
    }


def test_clauses_come_in_the_documents_order_and_once() -> None:
    """A flag with two labels under one clause names the clause once."""
    protocol = load_clauses()
    assert protocol.clauses_for([Label.THREAT, Label.SEXUAL, Label.DISCRIMINATION]) == ("5.1.h.I", "5.1.i", "7.c")


def test_a_certain_threat_is_urgent_and_an_uncertain_one_high() -> None:
    """The score decides between a label's two severities."""
    protocol = load_clauses()
    assert protocol.severity(Label.THREAT, 0.89) is Severity.HIGH
    assert protocol.severity(Label.THREAT, 0.9) is Severity.URGENT


def test_an_unknown_clause_id_is_refused_with_the_known_ones() -> None:
    """A page asked for a clause that left the protocol says which there are."""
    with pytest.raises(ProtocolError, match=re.escape("no clause '9.z'; there are 5.1.c, 5.1.h.I")):
        load_clauses().clause("9.z")
    assert load_clauses().clause("7.c").title.startswith("Mogelijk strafbaar")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('labels = ["hacken"]', "labels = []", "clauses_nl.toml: no clause names the label hacken"),
        ('labels = ["hacken"]', 'labels = ["hackem"]', "Invalid enum value 'hackem'"),
        ('id = "7.c"', 'id = "5.1.i"', "clause 5.1.i stands there twice"),
        ('title = "Fatsoensnormen"', 'title = " "', "clause '5.1.i' has an empty title"),
        ("flamen = { base", "#", "[severity.labels] lacks flamen"),
        ('base = "HIGH", certain = "URGENT"', 'base = "ERG", certain = "URGENT"', "severity 'ERG' of bedreiging"),
        ("certain_from = 0.9", "certain_from = 9", "certain_from is 9.0"),
        ("[protocol]", "[protocol", "is not valid TOML"),
        ("wording =", "tekst =", "unknown field `tekst`"),
    ],
)
def test_an_edited_file_that_does_not_fit_says_where_and_what_to_do(
    tmp_path: Path, old: str, new: str, says: str
) -> None:
    """A school that edits its protocol is told what is wrong before a message is judged by it."""
    edited = tmp_path / "clauses_nl.toml"
    content = CLAUSES.read_text(encoding="utf-8")
    assert old in content
    edited.write_text(content.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ProtocolError) as caught:
        load_clauses(edited)
    assert says in str(caught.value)


def test_a_missing_file_is_a_clear_error(tmp_path: Path) -> None:
    """No clauses, no judging."""
    with pytest.raises(ProtocolError, match="cannot read the clauses"):
        load_clauses(tmp_path / "weg.toml")
