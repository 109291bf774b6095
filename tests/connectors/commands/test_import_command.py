"""`vangnet import`, as a teacher's administrator runs it: one clear sentence or one clear result."""

import asyncio
import json
import zipfile
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from redis.asyncio import Redis

from pipeline.counters import Counters
from pipeline.groups import Group
from tests.connectors.commands.conftest import Ran

Vangnet = Callable[..., Awaitable[Ran]]
OptIn = Callable[..., Awaitable[Group]]

CHAT = (
    "[02-05-2022, 16:08:13] Klas 2B: \u200eBerichten en gesprekken worden end-to-end versleuteld. Niemand buiten deze "
    "chat kan ze lezen of beluisteren, zelfs WhatsApp niet.\n"
    "[02-05-2022, 16:09:00] Fenna: hoi allemaal\n"
    "\u200e[02-05-2022, 16:10:00] Sem: \u200e<bijgevoegd: 00000014-PHOTO-2022-05-02-16-10-00.jpg>\n"
    "[02-05-2022, 16:11:00] \u200eFenna heeft Noor verwijderd\n"
)


@pytest.fixture
def chat(tmp_path: Path) -> Path:
    """A small export of an iPhone, zipped as it comes."""
    path = tmp_path / "WhatsApp-chat - Klas 2B.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("_chat.txt", CHAT)
        archive.writestr("00000014-PHOTO-2022-05-02-16-10-00.jpg", b"x")
    return path


async def test_an_export_is_taken_in(vangnet: Vangnet, opt_in: OptIn, chat: Path, redis: Redis) -> None:
    """Figures for a machine on standard output, once; the second time all are repeats."""
    group = await opt_in()
    ran = await vangnet("import", chat, "--group", group.id, "--json")
    assert ran.status == 0, ran.err
    figures = json.loads(ran.out)
    assert (figures["messages"], figures["accepted"], figures["system_events"]) == (2, 2, 2)
    assert figures["events"] == {"encryption": 1, "removed": 1}
    again = json.loads((await vangnet("import", chat, "--group", group.id, "--json")).out)
    assert (again["accepted"], again["repeated"]) == (0, 2)
    totals = await Counters(redis).totals()
    assert (totals.received, totals.accepted, totals.repeated) == (4, 2, 2)


async def test_figures_for_people(vangnet: Vangnet, opt_in: OptIn, chat: Path) -> None:
    """Without --json the same figures stand in lines that can be read."""
    ran = await vangnet("import", chat, "--group", (await opt_in()).id)
    assert ran.status == 0
    assert "accepted                           2" in ran.out
    assert "unverified export" in ran.out


async def test_a_dry_run_leaves_no_trace(vangnet: Vangnet, chat: Path, redis: Redis) -> None:
    """--dry-run counts and hands nothing in."""
    ran = await vangnet("import", chat, "--group", "x", "--json", "--dry-run")
    assert (ran.status, json.loads(ran.out)["messages"]) == (0, 2)
    assert await redis.dbsize() == 0


async def test_each_refusal_is_one_sentence(vangnet: Vangnet, opt_in: OptIn, chat: Path, tmp_path: Path) -> None:
    """Unknown group, no file, broken zip, no export, dates that tell nothing: status 1, no stack trace, no text."""
    group = (await opt_in()).id
    files = {
        "broken.zip": (b"PK\x03\x04 kapot", "damaged zip"),
        "photo.txt": (b"\x89PNG\r\n\x1a\n", "not a WhatsApp export"),
        "dates.txt": (b"5/2/22, 16:08 - Sem: geheim\n6/2/22, 16:08 - Sem: geheim\n", "--day-first"),
    }
    cases = [(chat, "nergens", "no group nergens"), (tmp_path / "weg.txt", group, "cannot read")]
    for name, (content, told) in files.items():
        (tmp_path / name).write_bytes(content)
        cases.append((tmp_path / name, group, told))
    for path, asked, told in cases:
        ran = await vangnet("import", path, "--group", asked)
        assert ran.status == 1
        assert told in ran.err
        assert ran.err.startswith("vangnet: ")
        assert "Traceback" not in ran.err
        assert "geheim" not in ran.err + ran.out
    answered = await vangnet("import", tmp_path / "dates.txt", "--group", group, "--day-first", "--json")
    assert json.loads(answered.out)["accepted"] == 2


async def test_a_killed_import_goes_on(
    start: Callable[..., Awaitable[asyncio.subprocess.Process]],
    vangnet: Vangnet,
    received: Callable[[int], Awaitable[None]],
    opt_in: OptIn,
    tmp_path: Path,
    redis: Redis,
) -> None:
    """Kill -9 in the middle: the next run goes on where it was, and every message is counted once."""
    number = 12_000
    path = tmp_path / "chat.txt"
    lines = (f"{1 + i // 1440:02d}-05-2022 {i // 60 % 24:02d}:{i % 60:02d} - Sem: bericht {i}\n" for i in range(number))
    path.write_text("".join(lines), "utf-8")
    group = (await opt_in()).id
    process = await start("import", path, "--group", group, "--json")
    await received(1_000)
    process.kill()
    await process.communicate()
    ran = await vangnet("import", path, "--group", group, "--json")
    figures = json.loads(ran.out)
    assert 0 < figures["earlier"] < number
    assert figures["earlier"] + figures["accepted"] == figures["messages"] == number
    totals = await Counters(redis).totals()
    assert (totals.received, totals.accepted) == (number, number)
