"""What an export says is what the parser gives: every form of WhatsApp's own, and every trick inside one."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from connectors.errors import AmbiguousDatesError, ContradictedDatesError, ExportError, NotAnExportError
from connectors.whatsapp_export import EventKind, Message, Record, SystemEvent, Tally
from connectors.whatsapp_export.headers import DateOrder, Style
from connectors.whatsapp_export.records import EXPORTER, Attachment, AttachmentKind
from connectors.whatsapp_export.source import LONGEST_LINE
from tests.connectors.whatsapp_export.conftest import events, messages, opened

Read = Callable[..., list[Record]]
Write = Callable[..., Path]

DUTCH_ANDROID = """\
02-05-2022 16:08 - Berichten en oproepen worden end-to-end versleuteld. Niemand buiten deze chat kan ze lezen of \
beluisteren, zelfs WhatsApp niet. Tik voor meer informatie.
02-05-2022 16:08 - {L}Fenna heeft de groep Klas 2B gemaakt
02-05-2022 16:08 - {L}Fenna heeft u toegevoegd
02-05-2022 16:09 - +31 6 00000000: ok
02-05-2022 16:13 - Fenna: Dit bericht is verwijderd
02-05-2022 16:17 - Sem: {L}IMG-20220502-WA0001.jpg (bestand bijgevoegd)
Dit is het bijschrift
02-05-2022 16:18 - Noor: {L}DOC-20220502-WA0006. (bestand bijgevoegd)
Rooster.pdf
02-05-2022 16:19 - Noor: <Media weggelaten>
02-05-2022 16:20 - Sem: tekst <Dit bericht is bewerkt>
02-05-2022 16:27 - U bent nu beheerder
02-05-2022 16:28 - {L}Sem heeft de groep verlaten
02-05-2022 16:29 - Fenna heeft Noor verwijderd
02-05-2022 16:30 - Daan neemt deel via uw uitnodiging
"""

DUTCH_IPHONE = """\
[02-05-2022 16:08:13] Klas 2B: {L}Berichten en gesprekken worden end-to-end versleuteld. Niemand buiten deze chat kan \
ze lezen of beluisteren, zelfs WhatsApp niet.
[02-05-2022 16:08:13] {L}{(}+31{_}6{_}00000000{)} heeft deze groep aangemaakt
[02-05-2022 16:13:25] Fenna: {L}Dit bericht is verwijderd.
[02-05-2022 16:15:25] Sem: {L}U hebt dit bericht verwijderd.
{L}[02-05-2022 16:17:01] Noor: {L}<bijgevoegd: 00000014-PHOTO-2022-05-02-16-17-01.jpg>
{L}[02-05-2022 16:18:34] Sem: Rooster.pdf • {L}116 pagina's {L}<bijgevoegd: 00000017-Rooster.pdf>
[06-09-2026, 16:20:00] Noor: {L}afbeelding weggelaten
[02-05-2022 16:27:56] {L}U bent nu een beheerder
[02-05-2022 16:29:40] {L}U hebt de groep verlaten
[02-05-2022 16:33:39] {L}Sem is toegevoegd
[02-05-2022 16:44:04] {L}Sem heeft het onderwerp gewijzigd naar “Klas 2B nieuw”
"""

ENGLISH_ANDROID = """\
12/31/22, 7:02{n}PM - Messages and calls are end-to-end encrypted. No one outside of this chat, not even WhatsApp, can \
read or listen to them. Tap to learn more.
12/31/22, 7:02{n}PM - Fenna created group "Klas 2B"
12/31/22, 7:02{n}PM - Fenna added you
12/31/22, 12:03{n}AM - Sem joined using your invite
12/31/22, 7:04{n}PM - Fenna: <Media omitted>
12/31/22, 7:05{n}PM - Fenna: IMG-20221231-WA0004.jpg (file attached)
12/31/22, 7:06{n}PM - Sem: This message was deleted
12/31/22, 7:07{n}PM - Sem: You deleted this message
12/31/22, 7:08{n}PM - Sem: see you <This message was edited>
12/31/22, 7:09{n}PM - You left
"""

ENGLISH_IPHONE = """\
[31/12/2022, 11:40:26] Klas 2B: {L}Messages and calls are end-to-end encrypted. Only people in this chat can read, \
listen to, or share them.
[31/12/2022, 11:40:26] Sem: {L}<attached: 00000001-AUDIO-2022-12-31-11-40-26.opus>
[31/12/2022, 11:41:00] ~{_}Noor: {L}image omitted
[31/12/2022, 11:42:00] Sem: {L}This message was deleted.
[31/12/2022, 11:43:00] Klas 2B: {L}Fenna removed Sem
"""


def kinds(records: list[Record]) -> list[str]:
    """What each record is, in order."""
    return [record.kind.value if isinstance(record, SystemEvent) else "message" for record in records]


def test_dutch_android_is_read_whole(read: Read) -> None:
    """Every line of a Dutch Android export becomes what it is: seven messages, eight events, in order."""
    records = read(DUTCH_ANDROID)
    assert kinds(records) == [
        "encryption", "created", "added", "message", "message", "message", "message", "message", "message",
        "admin", "left", "removed", "joined_by_link",
    ]  # fmt: skip
    number, deleted, photo, document, media, edited = messages(records)
    assert (number.author.author_id, number.text) == ("+31600000000", "ok")
    assert deleted.deleted
    assert deleted.spoken == "[bericht verwijderd]"
    assert photo.attachment == Attachment(AttachmentKind.PHOTO, "IMG-20220502-WA0001.jpg")
    assert photo.spoken == "[foto] Dit is het bijschrift"
    assert (document.text, document.spoken) == ("Rooster.pdf", "[bestand] Rooster.pdf")
    assert media.attachment == Attachment(AttachmentKind.MEDIA)
    assert (edited.text, edited.edited) == ("tekst", True)


def test_exclusion_shows_as_a_typed_event(read: Read) -> None:
    """Who removed, added or left whom is kept with names: "X heeft Y verwijderd" is how exclusion shows."""
    created, added, _, left, removed, joined = events(read(DUTCH_ANDROID))[1:]
    assert (created.actor, created.subject) == ("Fenna", "Klas 2B")
    assert (added.actor, added.targets) == ("Fenna", (EXPORTER,))
    assert left.actor == "Sem"
    assert (removed.actor, removed.targets) == ("Fenna", ("Noor",))
    assert joined.targets == ("Daan",)


def test_dutch_iphone_is_read_whole(read: Read) -> None:
    """The notice that bears the group's name is no message; attachments, tombstones and events are told apart."""
    records = read(DUTCH_IPHONE)
    assert kinds(records) == [
        "encryption", "created", "message", "message", "message", "message", "message", "admin", "left", "added",
        "subject",
    ]  # fmt: skip
    assert events(records)[1].actor == "+31 6 00000000"
    assert events(records)[-1].subject == "Klas 2B nieuw"
    first, second, photo, document, omitted = messages(records)
    assert (first.deleted, second.deleted) == (True, True)
    assert photo.spoken == "[foto]"
    assert (document.text, document.attachment) == (
        "Rooster.pdf",
        Attachment(AttachmentKind.DOCUMENT, "00000017-Rooster.pdf"),
    )
    assert omitted.spoken == "[foto]"
    assert omitted.wall_clock == "2026-09-06T16:20:00"


def test_english_android_is_read_whole(read: Read) -> None:
    """American dates, twelve hours and U+202F before PM: noon and midnight fall where they belong."""
    records = read(ENGLISH_ANDROID)
    assert kinds(records) == ["encryption", "created", "added", "joined_by_link", *["message"] * 5, "left"]
    assert [record.wall_clock[11:16] for record in records[2:5]] == ["19:02", "00:03", "19:04"]
    media, photo, *deleted, edited = messages(records)
    assert (media.spoken, photo.spoken) == ("[media]", "[foto]")
    assert all(message.deleted for message in deleted)
    assert (edited.text, edited.edited) == ("see you", True)


def test_english_iphone_is_read_whole(read: Read) -> None:
    """Attachments, an unknown contact (`~ Name`) and events under the group's name are told apart."""
    records = read(ENGLISH_IPHONE)
    assert kinds(records) == ["encryption", "message", "message", "message", "removed"]
    audio, image, deleted = messages(records)
    assert audio.spoken == "[audio]"
    assert (image.author.name, image.author.unknown_contact, image.spoken) == ("Noor", True, "[foto]")
    assert deleted.deleted


@pytest.mark.parametrize(
    ("line", "clock"),
    [
        ("31/12/2022, 23:59 - Sem: x", "2022-12-31T23:59:00"),
        ("31-12-22 23:59 - Sem: x", "2022-12-31T23:59:00"),
        ("31/12/2022 23:59 - Sem: x", "2022-12-31T23:59:00"),
        ("2022-12-31 23:59 - Sem: x", "2022-12-31T23:59:00"),
        ("31.12.22, 23:59 - Sem: x", "2022-12-31T23:59:00"),
        ("31-12-2022 23.59 - Sem: x", "2022-12-31T23:59:00"),
        ("12/31/22, 11:59 p.m. - Sem: x", "2022-12-31T23:59:00"),
        ("31/12/2022, 11:59 pm - Sem: x", "2022-12-31T23:59:00"),
        ("[12/31/22, 12:59:07{n}AM] Sem: x", "2022-12-31T00:59:07"),
        ("[31-12-22 23:59:07] Sem: x", "2022-12-31T23:59:07"),
        ("{L}[31-12-2022, 23:59:07] Sem: x", "2022-12-31T23:59:07"),
    ],
)
def test_every_form_of_date_and_time(read: Read, line: str, clock: str) -> None:
    """Dates and times of every phone we know are read, 12 and 24 hours, two and four digits of the year."""
    (message,) = messages(read(line))
    assert (message.author.name, message.text, message.wall_clock) == ("Sem", "x", clock)


def test_times_are_those_of_the_school(read: Read) -> None:
    """An export tells no zone: it is Amsterdam's, in summer and in winter."""
    summer, winter = messages(read("02-07-2022 12:00 - Sem: a\n13-12-2022 12:00 - Sem: b\n"))
    zone = ZoneInfo("Europe/Amsterdam")
    assert summer.sent_at == datetime(2022, 7, 2, 12, tzinfo=zone).timestamp()
    assert winter.sent_at - summer.sent_at == (164 * 24 + 1) * 3600


def test_the_hour_that_comes_twice_keeps_its_order(read: Read) -> None:
    """On the last Sunday of October 02:10 after 02:50 is an hour later, not forty minutes earlier."""
    first, second, third = messages(
        read("30-10-2022 02:50 - Sem: a\n30-10-2022 02:10 - Noor: b\n30-10-2022 03:05 - Sem: c\n")
    )
    assert second.sent_at - first.sent_at == 20 * 60
    assert third.sent_at - second.sent_at == 55 * 60


class TestDateOrder:
    """The day's place is decided by what the file proves; it is never guessed."""

    def test_an_attachment_proves_it(self, read: Read) -> None:
        """`IMG-20220502` beside `5/2/22` proves that the month stands first."""
        text = "5/2/22, 16:08 - Fenna: hoi\n5/2/22, 16:09 - Sem: {L}IMG-20220502-WA0001.jpg (file attached)\n"
        assert messages(read(text))[0].wall_clock.startswith("2022-05-02")
        text = text.replace("IMG-20220502", "IMG-20220205")
        assert messages(read(text))[0].wall_clock.startswith("2022-02-05")

    def test_an_iphone_attachment_proves_it(self, read: Read) -> None:
        """An iPhone's own file names prove it too."""
        text = "[5/2/22, 16:08:00] Fenna: {L}<attached: 00000014-PHOTO-2022-05-02-16-08-00.jpg>\n"
        assert messages(read(text))[0].wall_clock.startswith("2022-05-02")

    def test_a_part_over_twelve_proves_it(self, read: Read) -> None:
        """One date with a part over 12 decides for all lines before it."""
        assert messages(read("5/2/22, 16:08 - F: a\n5/13/22, 16:08 - F: b\n"))[0].wall_clock.startswith("2022-05-02")
        assert messages(read("5/2/22, 16:08 - F: a\n13/5/22, 16:08 - F: b\n"))[0].wall_clock.startswith("2022-02-05")

    def test_the_run_of_time_proves_it(self, read: Read) -> None:
        """Lines stand in order of time: an order in which time runs back is wrong."""
        assert messages(read("5/2/22, 16:08 - F: a\n4/3/22, 16:08 - F: b\n"))[0].wall_clock.startswith("2022-02-05")
        assert messages(read("2/5/22, 16:08 - F: a\n3/4/22, 16:08 - F: b\n"))[0].wall_clock.startswith("2022-02-05")

    def test_the_future_proves_it(self, read: Read) -> None:
        """No message is of after today (26 November 2026 in these tests)."""
        assert messages(read("10/12/26, 16:08 - F: a\n"))[0].wall_clock.startswith("2026-10-12")

    def test_ambiguous_dates_are_asked_for(self, read: Read) -> None:
        """Where nothing proves it, the error says what to say; saying it is enough."""
        text = "5/2/22, 16:08 - F: a\n6/2/22, 16:08 - F: b\n"
        with pytest.raises(AmbiguousDatesError, match=r"--day-first .* or --month-first"):
            read(text)
        assert messages(read(text, DateOrder.DAY_FIRST))[0].wall_clock.startswith("2022-02-05")
        assert messages(read(text, DateOrder.MONTH_FIRST))[0].wall_clock.startswith("2022-05-02")

    def test_a_wrong_answer_is_refused(self, read: Read) -> None:
        """Who says --day-first of a file that proves the contrary is told the line."""
        with pytest.raises(ContradictedDatesError, match=r"line 2 .*--day-first"):
            read("5/2/22, 16:08 - F: a\n5/13/22, 16:08 - F: b\n", DateOrder.DAY_FIRST)

    def test_contradicting_dates_are_asked_for(self, read: Read) -> None:
        """A file whose lines prove both orders is not read on a guess."""
        with pytest.raises(ContradictedDatesError, match="lines 1 and 2"):
            read("13/5/22, 16:08 - F: a\n5/13/22, 16:09 - F: b\n")

    def test_dutch_hyphens_need_no_proof(self, read: Read) -> None:
        """`02-05-2022` is how Dutch phones write; no phone writes the month first with hyphens."""
        assert messages(read("02-05-2022 16:08 - F: a\n"))[0].wall_clock.startswith("2022-05-02")

    def test_same_parts_need_no_proof(self, read: Read) -> None:
        """Where day and month are the same number there is nothing to ask."""
        assert messages(read("5/5/22, 16:08 - F: a\n"))[0].wall_clock.startswith("2022-05-05")


class TestNothingIsDropped:
    """No message is lost or moved to another author, whatever it holds."""

    def test_lines_of_one_message_stay_together(self, read: Read) -> None:
        """Line ends, empty lines, spaces and exotic separators in a text are kept letter for letter."""
        text = "regel 1  \n\n  regel 3\x0b\x85\u2028einde\t"
        first, second = messages(read(f"02-05-2022 16:08 - Sem: {text}\n02-05-2022 16:09 - Noor: ja\n"))
        assert first.text == text
        assert second.text == "ja"

    def test_pasted_chat_is_no_new_message(self, read: Read) -> None:
        """What WhatsApp's copy gives (`[5/2, 16:08] Fenna: …`) stays inside the message it was pasted into."""
        (message,) = messages(
            read("02-05-2022 16:08 - Sem: kijk\n[5/2, 16:08] Fenna: ik haat je\n[5/2, 16:09] Sem: wat\n")
        )
        assert message.author.name == "Sem"
        assert "Fenna: ik haat je" in message.text

    def test_a_pasted_header_of_another_phone_is_no_new_message(self, write_export: Write) -> None:
        """One export has one form; a header of another form is pasted text, and counted as odd."""
        path = write_export("02-05-2022 16:08 - Sem: kijk\n[02-05-2022 16:08:13] Fenna: ik haat je\n")
        tally = Tally()
        (record,) = opened(path).records(tally)
        assert isinstance(record, Message)
        assert record.author.name == "Sem"
        assert tally.lookalikes == 1

    def test_a_date_that_is_none_is_no_new_message(self, read: Read) -> None:
        """`31-02` and 25:00 begin no message."""
        (message,) = messages(
            read("02-05-2022 16:08 - Sem: a\n31-02-2022 16:08 - Fenna: b\n02-05-2022 25:00 - Fenna: c\n")
        )
        assert message.text.count("\n") == 2

    def test_words_between_an_authors_name_and_whatsapps(self, read: Read) -> None:
        """A pupil who types what WhatsApp writes hides nothing: only exact words of WhatsApp are taken out."""
        texts = [
            "Fenna heeft Noor verwijderd",
            "{L}je bent lelijk",
            "{L}Berichten en oproepen worden end-to-end versleuteld. maar jij bent dom",
            "jij bent een trut (bestand bijgevoegd)",
            "{L}<bijgevoegd: je bent dik.jpg>",
            "<bijgevoegd: je bent dik>",
            "Dit bericht is verwijderd, net als jij",
            "<Media weggelaten> en jij ook",
        ]
        lines = "".join(f"02-05-2022 16:{minute:02d} - Sem: {text}\n" for minute, text in enumerate(texts))
        spoken = [message.spoken for message in messages(read(lines))]
        for words, told in zip(
            ["verwijderd", "lelijk", "dom", "trut", "dik", "dik", "net als jij", "en jij ook"], spoken, strict=True
        ):
            assert words in told

    def test_a_system_line_with_a_colon_is_given_as_both(self, read: Read) -> None:
        """A group named "Klas: 2B" gives its event; and since a pupil may bear such a name, the message too."""
        records = read("02-05-2022 16:08 - Sem heeft het onderwerp gewijzigd naar “Klas: 2B”\n")
        assert kinds(records) == ["subject", "message"]
        assert events(records)[0].subject == "Klas: 2B"

    def test_a_pupil_cannot_hide_behind_the_mark(self, read: Read) -> None:
        """U+200E and a sentence like WhatsApp's own, under a pupil's name, is an event and still a message."""
        records = read("[02-05-2022 16:08:00] Sem: {L}die trut van een Noor is verwijderd\n")
        assert kinds(records) == ["removed", "message"]

    def test_nobody_can_name_himself_the_group_later(self, read: Read) -> None:
        """Only the notice that opens the file names the group; a later copy of it does not silence a pupil."""
        notice = (
            "Berichten en oproepen worden end-to-end versleuteld. "
            "Niemand buiten deze chat kan ze lezen of beluisteren, zelfs WhatsApp niet."
        )
        records = read(
            "[02-05-2022 16:08:00] Sem: hoi\n"
            f"[02-05-2022 16:08:01] Sem: {{L}}{notice}\n[02-05-2022 16:08:02] Sem: {{L}}die stomme Noor is verwijderd\n"
        )
        assert kinds(records) == ["message", "encryption", "removed", "message"]

    def test_an_empty_message_is_one(self, read: Read) -> None:
        """A message without text, also where an editor took the trailing space, keeps its author."""
        records = read("02-05-2022 16:08 - Sem: \n02-05-2022 16:09 - Noor:\n[02-05-2022 16:09:00] x\n")
        assert [(message.author.name, message.text.partition("\n")[0]) for message in messages(records)] == [
            ("Sem", ""),
            ("Noor", ""),
        ]

    def test_an_unknown_system_line_is_kept(self, read: Read) -> None:
        """What WhatsApp writes in words we do not know is an event of kind "other" with its text."""
        (event,) = events(read("02-05-2022 16:08 - Er gebeurde iets geheel nieuws\n"))
        assert (event.kind, event.text) == (EventKind.OTHER, "Er gebeurde iets geheel nieuws")

    def test_an_endless_message_is_cut_and_counted(self, write_export: Write) -> None:
        """A text beyond all bounds, in one line or in many, keeps its beginning and is known as cut."""
        for endless in ("a" * (3 * LONGEST_LINE), "\n" * (3 * LONGEST_LINE)):
            tally = Tally()
            path = write_export(f"02-05-2022 16:08 - Sem: {endless}\n02-05-2022 16:09 - Noor: ja\n")
            first, second = messages(list(opened(path).records(tally)))
            assert first.cut
            assert LONGEST_LINE // 2 < len(first.text) <= LONGEST_LINE
            assert (second.text, second.cut, tally.cut) == ("ja", False, 1)

    def test_time_that_runs_back_is_counted(self, write_export: Write) -> None:
        """An export is unverified: that its clock runs back by days is told, and no message is refused for it."""
        tally = Tally()
        path = write_export("20-05-2022 16:08 - Sem: a\n02-05-2022 16:08 - Sem: b\n02-05-2022 16:07 - Sem: c\n")
        assert len(list(opened(path).records(tally))) == 3
        assert tally.backwards == 1


def test_offline_messages_of_an_iphone_keep_the_files_order(read: Read) -> None:
    """An iPhone lists what was sent offline out of order; that is no fault and the order is the file's."""
    first, second = messages(read("[02-05-2022 16:18:34] Sem: a\n[02-05-2022 16:10:00] Noor: b\n"))
    assert first.sent_at > second.sent_at


def test_the_phone_is_known(write_export: Write) -> None:
    """The export knows which phone wrote it and how many records it holds, for the progress bar."""
    android, iphone = opened(write_export(DUTCH_ANDROID, "a.txt")), opened(write_export(DUTCH_IPHONE, "b.txt"))
    assert (android.style, android.headers) == (Style.ANDROID, 13)
    assert (iphone.style, iphone.headers) == (Style.IOS, 11)


@pytest.mark.parametrize("text", ["", "\n\n", "zomaar een tekst\nover 2022", "\ufeff", '{"a": 1}'])
def test_what_is_no_export_is_told(read: Read, text: str) -> None:
    """A file in which no line begins as an export's is refused, with what to do."""
    with pytest.raises(NotAnExportError, match="Export chat"):
        read(text)


def test_no_error_holds_a_text(read: Read) -> None:
    """Errors name lines, never words."""
    with pytest.raises(ExportError) as caught:
        read("13/5/22, 16:08 - F: geheim woord\n5/13/22, 16:09 - F: geheim woord\n")
    assert "geheim" not in str(caught.value)
