"""Which partition a key belongs to: Kafka's default rule, so that a group keeps its place on either broker."""

from functools import lru_cache
from typing import cast

from aiokafka.partitioner import murmur2


@lru_cache(maxsize=4096)  # a school has few groups and each sends many messages; the hash is plain Python
def _positive_hash(key: bytes) -> int:
    return cast("int", murmur2(key)) & 0x7FFFFFFF


def partition_for(key: bytes, partitions: int) -> int:
    """Choose the partition of a key, as Kafka's Java client and aiokafka do (murmur2).

    Args:
        key: The record's key.
        partitions: How many partitions the topic has, at least 1.

    Returns:
        A number from 0 up to `partitions`.
    """
    return _positive_hash(key) % partitions
