"""Every sentence that WhatsApp writes about members is read as what it says."""

import pytest

from connectors.whatsapp_export.records import EXPORTER, EventKind
from connectors.whatsapp_export.wording import load_wording


@pytest.mark.parametrize(
    ("text", "kind", "actor", "targets", "subject"),
    [
        ("Fenna heeft de groep “Klas 2B” aangemaakt", "created", "Fenna", (), "Klas 2B"),
        ("Fenna heeft groep Klas 2B gemaakt", "created", "Fenna", (), "Klas 2B"),
        ("U hebt deze groep aangemaakt", "created", EXPORTER, (), ""),
        ('You created group "Klas 2B"', "created", EXPORTER, (), "Klas 2B"),
        ("Fenna created this group", "created", "Fenna", (), ""),
        ("Fenna heeft Noor en Sem toegevoegd", "added", "Fenna", ("Noor", "Sem"), ""),
        ("Fenna heeft Noor, Sem en +31 6 00000000 toegevoegd", "added", "Fenna", ("Noor", "Sem", "+31 6 00000000"), ""),
        ("U bent toegevoegd", "added", "", (EXPORTER,), ""),
        ("Fenna added Noor, Sem, and Daan", "added", "Fenna", ("Noor", "Sem", "Daan"), ""),
        ("Sem was added", "added", "", ("Sem",), ""),
        ("Fenna heeft Noor verwijderd", "removed", "Fenna", ("Noor",), ""),
        ("U hebt Noor verwijderd", "removed", EXPORTER, ("Noor",), ""),
        ("Fenna heeft u verwijderd", "removed", "Fenna", (EXPORTER,), ""),
        ("Noor is verwijderd", "removed", "", ("Noor",), ""),
        ("Fenna removed you", "removed", "Fenna", (EXPORTER,), ""),
        ("Noor was removed", "removed", "", ("Noor",), ""),
        ("Sem heeft de groep verlaten", "left", "Sem", (), ""),
        ("You left", "left", EXPORTER, (), ""),
        ("Daan neemt deel via uw uitnodiging", "joined_by_link", "", ("Daan",), ""),
        ("Daan is deelnemer geworden via de uitnodigingslink van deze groep", "joined_by_link", "", ("Daan",), ""),
        ("Daan joined using this group's invite link", "joined_by_link", "", ("Daan",), ""),
        (
            "Sem heeft het onderwerp gewijzigd van “Klas 2B” naar “2B zonder Noor”",
            "subject",
            "Sem",
            (),
            "2B zonder Noor",
        ),
        ("Sem heeft het groepsonderwerp gewijzigd naar 'x'", "subject", "Sem", (), "x"),
        ('Sem changed the group name from "a" to "b"', "subject", "Sem", (), "b"),
        ("Sem heeft de groepsafbeelding gewijzigd", "icon", "Sem", (), ""),
        ("Sem heeft de groepsafbeelding verwijderd", "icon", "Sem", (), ""),
        ("Sem heeft de groepsbeschrijving gewijzigd", "description", "Sem", (), ""),
        ("Sem changed this group's icon", "icon", "Sem", (), ""),
        ("U bent nu een beheerder", "admin", "", (EXPORTER,), ""),
        ("You're now an admin", "admin", "", (EXPORTER,), ""),
        ("Sem heeft een nieuw telefoonnummer. Tik om een bericht te sturen.", "number", "Sem", (), ""),
        ("Uw beveiligingscode voor Sem is gewijzigd. Tik voor meer informatie.", "security_code", "", ("Sem",), ""),
        ("Sem heeft berichten met vervaldatum uitgeschakeld.", "disappearing", "Sem", (), ""),
        ("Sem heeft een bericht vastgemaakt", "pinned", "Sem", (), ""),
        ("\u200e\u202a+31\u00a06\u00a000000000\u202c heeft deze groep aangemaakt", "created", "+31 6 00000000", (), ""),
    ],
)
def test_each_sentence(text: str, kind: str, actor: str, targets: tuple[str, ...], subject: str) -> None:
    """Kind, who did it, to whom, and the group's name."""
    event = load_wording().event(text)
    assert event is not None
    assert (event.kind, event.actor, event.targets, event.subject) == (EventKind(kind), actor, targets, subject)


@pytest.mark.parametrize(
    "text",
    [
        "Sem: heeft Noor verwijderd",
        "hoi allemaal",
        "",
        "Berichten en oproepen worden end-to-end versleuteld. Grapje!",
        "x" * 5_000,
    ],
)
def test_other_sentences_are_no_events(text: str) -> None:
    """A colon, other words or a long text: not WhatsApp's."""
    assert load_wording().event(text) is None
