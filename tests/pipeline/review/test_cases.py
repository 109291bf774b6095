import tomllib
from importlib import resources
from pathlib import Path

import pytest
from redis.asyncio import Redis

from pipeline.privacy import Keyring
from pipeline.review.cases import facts_of, load_rules
from pipeline.review.errors import RulesError
from pipeline.review.records import Outcome
from pipeline.review.store import ReviewStore
from tests.pipeline.review.factories import MONDAY, make_context, make_flag

SHIPPED = (resources.files("pipeline.review") / "cases.toml").read_text("utf-8")
MINUTE = 60.0
HOUR = 3600.0


async def cases_of(store: ReviewStore) -> set[frozenset[str]]:
    """The open cases as sets of message ids."""
    found = set()
    for summary in await store.queue(None):
        case = await store.case(summary.case_id, None)
        assert case is not None
        found.add(frozenset(message.message_id for message in case.messages))
    return found


async def test_strangers_stay_apart(store: ReviewStore, keyring: Keyring) -> None:
    """Two authors, no answer, no shared conversation: two cases, even in the same minute."""
    await store.add_flag(make_flag(keyring, message_id="a", author="sem"))
    await store.add_flag(make_flag(keyring, message_id="b", author="daan"))
    assert await cases_of(store) == {frozenset("a"), frozenset("b")}


async def test_groups_stay_apart(store: ReviewStore, keyring: Keyring) -> None:
    """Flags of two groups never share a case, whatever ties them."""
    await store.add_flag(make_flag(keyring, message_id="a", group="klas-2b"))
    await store.add_flag(make_flag(keyring, message_id="b", group="klas-2c", reply_to="a"))
    assert await cases_of(store) == {frozenset("a"), frozenset("b")}


@pytest.mark.parametrize(("minutes", "together"), [(59, True), (61, False)])
async def test_one_author_who_goes_on(store: ReviewStore, keyring: Keyring, minutes: int, together: bool) -> None:
    """One author in the same way within the hour is one case; later it is another."""
    await store.add_flag(make_flag(keyring, message_id="a", labels=("pesten",)))
    await store.add_flag(make_flag(keyring, message_id="b", labels=("flamen",), sent_at=MONDAY + minutes * MINUTE))
    assert (await cases_of(store) == {frozenset("ab")}) is together


async def test_another_kind_by_the_same_author_is_another_case(store: ReviewStore, keyring: Keyring) -> None:
    """A phone number after an insult, without a shared conversation, is judged apart."""
    await store.add_flag(make_flag(keyring, message_id="a", labels=("flamen",)))
    await store.add_flag(make_flag(keyring, message_id="b", labels=("persoonsgegevens",), sent_at=MONDAY + 20 * MINUTE))
    assert await cases_of(store) == {frozenset("a"), frozenset("b")}


async def test_pile_on_in_one_conversation(store: ReviewStore, keyring: Keyring) -> None:
    """Three authors in one conversation are one case, and it is graver than each of the messages."""
    lines = [make_context(message_id=name, author=name, sent_at=MONDAY) for name in "abc"]
    for number, name in enumerate("abc"):
        flag = make_flag(
            keyring, message_id=name, author=name, before=lines[:number], sent_at=MONDAY + number * MINUTE, severity=2
        )
        await store.add_flag(flag)
    [case] = await store.queue(None)
    assert (case.messages, case.authors, case.severity, case.raised_by) == (3, 3, 3, ("pile_on",))


async def test_answers_join_in_any_order(store: ReviewStore, keyring: Keyring) -> None:
    """An answer joins the case of what it answers, also when it is flagged first."""
    await store.add_flag(make_flag(keyring, message_id="b", author="daan", reply_to="a", sent_at=MONDAY + 3 * HOUR))
    await store.add_flag(make_flag(keyring, message_id="a", author="sem"))
    assert await cases_of(store) == {frozenset("ab")}


async def test_an_answer_to_the_context_joins(store: ReviewStore, keyring: Keyring) -> None:
    """An answer to a message shown before a flagged one belongs to that case."""
    await store.add_flag(make_flag(keyring, message_id="a", before=[make_context(message_id="x", author="noor")]))
    await store.add_flag(make_flag(keyring, message_id="b", author="daan", reply_to="x", sent_at=MONDAY + 4 * HOUR))
    assert await cases_of(store) == {frozenset("ab")}


async def test_answers_to_one_person_are_one_case(store: ReviewStore, keyring: Keyring) -> None:
    """Two authors who answer different messages of the same person aim at the same target."""
    for name, author, seen in (("a", "sem", "x"), ("b", "daan", "y")):
        line = make_context(message_id=seen, author="noor")
        await store.add_flag(make_flag(keyring, message_id=name, author=author, reply_to=seen, before=[line]))
    assert await cases_of(store) == {frozenset("ab")}


async def test_repetition_raises_but_never_to_urgent(store: ReviewStore, keyring: Keyring) -> None:
    """Four messages of one author raise the case by one, and no further than high."""
    for number, severity in enumerate((1, 2, 2, 2)):
        await store.add_flag(make_flag(keyring, message_id=f"r{number}", severity=severity, sent_at=MONDAY + number))
    [case] = await store.queue(None)
    assert (case.severity, case.raised_by) == (3, ("repetition",))
    await store.add_flag(make_flag(keyring, message_id="r9", severity=3, sent_at=MONDAY + 9))
    [case] = await store.queue(None)
    assert (case.severity, case.raised_by) == (3, ())


async def test_of_two_raising_rules_the_stronger_counts(redis: Redis, keyring: Keyring, tmp_path: Path) -> None:
    """Rules that hold together do not add up, and a weaker one lower in the file does not undo a stronger one."""
    path = tmp_path / "cases.toml"
    path.write_text(SHIPPED.replace("steps = 1", "steps = 2", 1).replace("authors = 3", "authors = 1"), "utf-8")
    store = ReviewStore(redis, keyring, rules=load_rules(path))
    await store.add_flags([make_flag(keyring, severity=1, sent_at=MONDAY + number) for number in range(4)])
    [case] = await store.queue(None)
    assert (case.severity, case.raised_by) == (3, ("pile_on", "repetition"))


async def test_a_closed_case_is_followed_not_reopened(store: ReviewStore, keyring: Keyring) -> None:
    """What comes after a case was closed opens a new one that refers to it."""
    await store.add_flag(make_flag(keyring, message_id="a"))
    [first] = await store.queue(None)
    await store.decide(first.case_id, ["a"], "vera", Outcome.UPHELD, "Dit is pesten.", allowed_groups=None)
    await store.add_flag(make_flag(keyring, message_id="b", sent_at=MONDAY + MINUTE))
    [second] = await store.queue(None)
    assert (second.follows, second.messages) == (first.case_id, 1)


async def test_a_full_case_is_followed(store: ReviewStore, keyring: Keyring) -> None:
    """A case grows to the limit; the next message opens one that refers to it."""
    limit = load_rules().limits.messages
    await store.add_flags([make_flag(keyring, sent_at=MONDAY + number) for number in range(limit + 3)])
    sizes = {case.case_id: (case.messages, case.follows) for case in await store.queue(None)}
    [full] = [case_id for case_id, (size, _) in sizes.items() if size == limit]
    assert sorted(size for size, _ in sizes.values()) == [3, limit]
    assert {follows for size, follows in sizes.values() if size == 3} == {full}


async def test_a_case_ends_with_the_half_day(store: ReviewStore, keyring: Keyring) -> None:
    """Messages that keep following each other do not stretch a case over more than the limit."""
    await store.add_flags([make_flag(keyring, sent_at=MONDAY + number * 50 * MINUTE) for number in range(20)])
    for case in await store.queue(None):
        assert case.last_at - case.first_at <= load_rules().limits.span_seconds
    assert len(await store.queue(None)) == 2


def test_tags_do_not_link_groups(keyring: Keyring) -> None:
    """What stands in clear about an author is the same within a group and another in the next."""
    rules = load_rules()
    first, second = (facts_of(make_flag(keyring, group=group), rules).author for group in ("klas-2b", "klas-2c"))
    again = facts_of(make_flag(keyring, group="klas-2b"), rules).author
    assert first == again
    assert first != second
    assert "sem" not in first


def test_shipped_rule_holds_every_label_and_a_note_for_each_rule() -> None:
    """The shipped rule loads; each of its rules says why."""
    rules = load_rules()
    assert all(rule.note for rule in rules.join)
    assert tomllib.loads(SHIPPED)["limits"]["messages"] == rules.limits.messages


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ('"pesten", ', "", "label pesten must be in exactly one family, it is in 0"),
        ('["persoonsgegevens"]', '["persoonsgegevens", "pesten"]', "label pesten must be in exactly one family"),
        ('["persoonsgegevens"]', '["persoonsgegevens", "vloeken"]', "families name vloeken, which is no label"),
        ('needs = ["same_target"]', "needs = []", "join rule target needs nothing and would join everything"),
        ('needs = ["same_target"]', 'needs = ["same_mood"]', "Invalid enum value 'same_mood'"),
        ('name = "heat"', 'name = "reply"', "two rules are named reply"),
        ("within_seconds = 300", "within_seconds = -1", "join rule heat: within_seconds must be more than 0"),
        ("within_seconds = 300\n", "", "missing required field `within_seconds`"),
        ("up_to = 3", "up_to = 5", "raise rule repetition: up_to must be a severity, 1 to 4"),
        ("authors = 3", "authors = 0", "raise rule pile_on: counts start at 1"),
        (
            'families = ["attack", "intimate"]\nmessages = 3',
            'families = ["mood"]\nmessages = 3',
            "raise rule pile_on names family mood",
        ),
        ("messages = 50", "messages = 0", "limits.messages must be 1 or more"),
        ("[limits]", "[limits", "Expected"),
    ],
)
def test_a_wrong_rule_is_refused_with_its_place(tmp_path: Path, before: str, after: str, message: str) -> None:
    """Each mistake in the rule is named with the file and the entry."""
    assert before in SHIPPED
    path = tmp_path / "cases.toml"
    path.write_text(SHIPPED.replace(before, after, 1), "utf-8")
    with pytest.raises(RulesError) as caught:
        load_rules(path)
    assert str(path) in str(caught.value)
    assert message in str(caught.value)


def test_a_missing_rule_file_is_named(tmp_path: Path) -> None:
    """A rule file that is not there is an error with its path, not a stack trace of the reader."""
    with pytest.raises(RulesError, match=r"nergens\.toml"):
        load_rules(tmp_path / "nergens.toml")


@pytest.mark.parametrize("reverse", [False, True])
async def test_two_who_answer_each_other_are_one_case(store: ReviewStore, keyring: Keyring, reverse: bool) -> None:
    """A quarrel through answers to unflagged messages is one case, in whichever order its flags come."""
    to_noor = make_flag(
        keyring, message_id="a", author="sem", reply_to="x", before=[make_context(message_id="x", author="noor")]
    )
    to_sem = make_flag(
        keyring, message_id="b", author="noor", reply_to="y", before=[make_context(message_id="y", author="sem")]
    )
    await store.add_flags([to_sem, to_noor] if reverse else [to_noor, to_sem])
    assert await cases_of(store) == {frozenset("ab")}


@pytest.mark.parametrize(("aimed_at", "together"), [("noor", True), ("daan", False)])
async def test_who_only_answers_someone_flagged_is_tied_by_it(
    store: ReviewStore, keyring: Keyring, aimed_at: str, together: bool
) -> None:
    """An answer to the author of a flagged message joins; an answer to somebody else does not."""
    await store.add_flag(make_flag(keyring, message_id="a", author="noor"))
    line = make_context(message_id="y", author=aimed_at)
    await store.add_flag(make_flag(keyring, message_id="b", author="sem", reply_to="y", before=[line]))
    assert (await cases_of(store) == {frozenset("ab")}) is together


async def test_who_was_answered_joins_when_hitting_back(store: ReviewStore, keyring: Keyring) -> None:
    """The target of a flagged answer who is flagged next belongs to the same case."""
    await store.add_flag(
        make_flag(keyring, message_id="a", reply_to="x", before=[make_context(message_id="x", author="noor")])
    )
    await store.add_flag(make_flag(keyring, message_id="b", author="noor", sent_at=MONDAY + MINUTE))
    assert await cases_of(store) == {frozenset("ab")}


@pytest.mark.parametrize("minutes", [(0, 90), (90, 0)])
async def test_the_nearest_of_two_cases_is_taken(
    store: ReviewStore, keyring: Keyring, minutes: tuple[int, int]
) -> None:
    """A message that fits two cases of its author joins the one nearer in time, not the later or earlier one."""
    for name, minute in zip("ab", minutes, strict=True):
        await store.add_flag(make_flag(keyring, message_id=name, sent_at=MONDAY + minute * MINUTE))
    await store.add_flag(make_flag(keyring, message_id="c", sent_at=MONDAY + 40 * MINUTE))
    near = "a" if minutes[0] == 0 else "b"
    assert frozenset({near, "c"}) in await cases_of(store)
