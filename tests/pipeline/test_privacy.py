"""What sealing, pseudonyms and the key files promise."""

import multiprocessing
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import KeyringError, SealError
from pipeline.privacy import KEY_FILES, Cipher, Identity, Keyring, Pseudonymizer


@given(plain=st.binary(max_size=200), aad=st.binary(max_size=20))
def test_what_is_sealed_opens_with_the_same_key_and_place_only(plain: bytes, aad: bytes) -> None:
    """Sealing hides and gives back exactly; another key or another place opens nothing."""
    cipher = Cipher(b"k" * 32)
    sealed = cipher.seal(plain, aad)
    assert cipher.open(sealed, aad) == plain
    with pytest.raises(SealError):
        Cipher(b"q" * 32).open(sealed, aad)
    with pytest.raises(SealError):
        cipher.open(sealed, aad + b"x")


@given(plain=st.binary(max_size=60), data=st.data())
def test_a_changed_byte_never_opens(plain: bytes, data: st.DataObject) -> None:
    """Any flipped bit and any cut is noticed."""
    cipher = Cipher(b"k" * 32)
    sealed = bytearray(cipher.seal(plain))
    position = data.draw(st.integers(0, len(sealed) - 1))
    with pytest.raises(SealError):
        cipher.open(bytes(sealed[:position]))
    sealed[position] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(SealError):
        cipher.open(bytes(sealed))


def test_the_same_text_sealed_twice_looks_different() -> None:
    """Equal messages cannot be recognized by their sealed bytes."""
    cipher = Cipher(b"k" * 32)
    assert cipher.seal(b"ha") != cipher.seal(b"ha")


def test_a_short_key_is_refused() -> None:
    """A cipher never works with less than 256 bits."""
    with pytest.raises(SealError):
        Cipher(b"short")


@given(first=st.tuples(st.text(), st.text()), second=st.tuples(st.text(), st.text()))
def test_different_ids_have_different_pseudonyms(first: tuple[str, str], second: tuple[str, str]) -> None:
    """No two pairs of platform and id share a pseudonym, wherever the border between them lies."""
    names = Pseudonymizer(b"p" * 32)
    assert (names.message(*first) == names.message(*second)) == (first == second)


def test_pseudonyms_depend_on_kind_and_key() -> None:
    """The same number as author, group and message, or under another key, cannot be linked."""
    names, others = Pseudonymizer(b"p" * 32), Pseudonymizer(b"o" * 32)
    made = {
        names.author("demo", "31600000000"),
        names.group_key("demo", "31600000000"),
        names.message("demo", "31600000000"),
        names.message("demo", "31600000000", "g1"),
        others.author("demo", "31600000000"),
    }
    assert len(made) == 5
    assert all(len(pseudonym) == 32 for pseudonym in made)


def test_a_lone_surrogate_in_an_id_does_not_stop_it() -> None:
    """Ids come from outside: whatever string they are, they get a pseudonym and a sealed identity."""
    assert Pseudonymizer(b"p" * 32).author("demo", "\ud800")


def test_first_start_makes_keys_for_the_owner_only(tmp_path: Path) -> None:
    """The folder has mode 700, each file 600, whatever the umask; the second start reads the same keys."""
    old = os.umask(0)
    try:
        first = Keyring.open(tmp_path / "keys")
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700
    assert sorted(path.name for path in (tmp_path / "keys").iterdir()) == sorted(KEY_FILES)
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "keys").iterdir()} == {0o600}
    second = Keyring.open(tmp_path / "keys")
    assert second.text.open(first.text.seal(b"ha")) == b"ha"
    assert second.session == first.session
    assert second.pseudonymizer.author("demo", "a") == first.pseudonymizer.author("demo", "a")


def test_text_and_identity_have_different_keys(tmp_path: Path) -> None:
    """Whoever may read text cannot open a name with it."""
    keyring = Keyring.open(tmp_path / "keys")
    sealed = keyring.seal_identity("Fenna de Wit", "31600000000")
    assert b"Fenna" not in sealed
    assert keyring.open_identity(sealed) == Identity("Fenna de Wit", "31600000000")
    with pytest.raises(SealError):
        keyring.text.open(sealed, b"identity")


def test_keys_do_not_show_when_printed(tmp_path: Path) -> None:
    """A keyring in a log line or a traceback shows no key."""
    keyring = Keyring.open(tmp_path / "keys")
    assert repr(keyring) == "Keyring()"


@pytest.mark.parametrize("what", [".", "text.key", "session.key"])
def test_loose_permissions_are_refused_with_what_to_do(tmp_path: Path, what: str) -> None:
    """A key that others may read stops the start, and the sentence holds the command that mends it."""
    Keyring.open(tmp_path / "keys")
    (tmp_path / "keys" / what).chmod(0o755)
    with pytest.raises(KeyringError, match=r"chmod [67]00 "):
        Keyring.open(tmp_path / "keys")


def test_a_lost_key_is_not_replaced_in_silence(tmp_path: Path) -> None:
    """A new key would make all old data unreadable: the start stops and says which file to put back."""
    Keyring.open(tmp_path / "keys")
    (tmp_path / "keys" / "text.key").unlink()
    with pytest.raises(KeyringError, match=r"text\.key is gone"):
        Keyring.open(tmp_path / "keys")


def test_a_first_start_that_was_killed_goes_on(tmp_path: Path) -> None:
    """Keys are made in order; after a kill between two of them the next start makes the rest."""
    first = Keyring.open(tmp_path / "keys")
    (tmp_path / "keys" / "session.key").unlink()
    (tmp_path / "keys" / "pseudonym.key").unlink()
    assert Keyring.open(tmp_path / "keys").text.open(first.text.seal(b"ha")) == b"ha"


@pytest.mark.parametrize("content", ["", "abc", "zz" * 32, "ab" * 31])
def test_a_damaged_key_is_named(tmp_path: Path, content: str) -> None:
    """A key file with anything but 64 hexadecimal digits is refused by name."""
    Keyring.open(tmp_path / "keys")
    (tmp_path / "keys" / "identity.key").write_text(content)
    with pytest.raises(KeyringError, match=r"identity\.key is damaged"):
        Keyring.open(tmp_path / "keys")


def _session_key(folder: str) -> bytes:
    return Keyring.open(Path(folder)).session


def test_processes_that_start_together_agree_on_the_keys(tmp_path: Path) -> None:
    """Worker and web app started at the same moment never seal under different keys."""
    with multiprocessing.get_context("fork").Pool(4) as pool:
        keys = pool.map(_session_key, [str(tmp_path / "keys")] * 16, chunksize=1)
    assert len(set(keys)) == 1
