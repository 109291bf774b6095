"""Keeps two sets of keys out of one store: what one of them sealed, the other cannot open, and pseudonyms would differ.

A lost key folder, or a command run in another folder with `./keys` as its default, would otherwise make new keys and go
on with them, and a mentor would find cases that no key opens.
"""

from pathlib import Path
from typing import Final, cast

from redis.asyncio import Redis

from pipeline.errors import KeyringError, SealError
from pipeline.privacy import KEY_FILES, Keyring
from pipeline.scripts import PREFIX

KEY_MARK: Final = f"{PREFIX}:keys"
"""Hash of a known word sealed under each key and the pseudonym of one; it tells nothing about the keys."""
_WORD: Final = b"vangnet"


async def open_matching_keys(redis: Redis, keys_dir: Path) -> Keyring:
    """Open the keys, and check that they are those of the store; a store that has none yet takes these.

    Args:
        redis: The store.
        keys_dir: Where the key files are; they are made when neither store nor folder has any.

    Raises:
        KeyringError: The store was filled with other keys, or the keys themselves cannot be used.
    """
    if await redis.exists(KEY_MARK) and not any((keys_dir / name).exists() for name in KEY_FILES):
        msg = (
            f"The key folder {keys_dir} is empty, but the store was filled with keys. Set VANGNET_KEYS to their folder "
            "or put your copy of it back; without them what is stored cannot be read, and only an empty store can "
            "begin with new keys."
        )
        raise KeyringError(msg)
    keyring = Keyring.open(keys_dir)
    async with redis.pipeline(transaction=True) as pipe:
        pipe.hsetnx(KEY_MARK, "pseudonym", _pseudonym(keyring))
        pipe.hsetnx(KEY_MARK, "text", keyring.text.seal(_WORD))
        pipe.hsetnx(KEY_MARK, "identity", keyring.identity.seal(_WORD))
        await pipe.execute()
    wrong = await find_strange_keys(redis, keyring)
    if wrong:
        msg = (
            f"{' and '.join(wrong)} in {keys_dir} did not fill this store: what is stored would stay unreadable. Set "
            "VANGNET_KEYS to the folder with its keys or put your copy of it back; only an empty store can begin with "
            "other keys."
        )
        raise KeyringError(msg)
    return keyring


async def find_strange_keys(redis: Redis, keyring: Keyring) -> list[str]:
    """Name the key files that are not those of the store; changes nothing, and a store without a mark takes any."""
    mark = cast("dict[bytes, bytes]", await redis.hgetall(KEY_MARK))
    wrong = []
    for name, cipher in (("text", keyring.text), ("identity", keyring.identity)):
        sealed = mark.get(name.encode())
        try:
            if sealed is not None:
                cipher.open(sealed)
        except SealError:
            wrong.append(f"{name}.key")
    if mark.get(b"pseudonym", _pseudonym(keyring).encode()) != _pseudonym(keyring).encode():
        wrong.append("pseudonym.key")
    return wrong


def _pseudonym(keyring: Keyring) -> str:
    return keyring.pseudonymizer.author("vangnet", "keys")
