"""Keys go to the partitions that Kafka's own clients would choose."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.transport.partitioner import partition_for

# From Apache Kafka's UtilsTest.testMurmur2: the signed 32-bit hash of each key.
VECTORS = {
    b"21": -973932308,
    b"foobar": -790332482,
    b"a-little-bit-long-string": -985981536,
    b"a-little-bit-longer-string": -1486304829,
    b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    b"abc": 479470107,
}


@pytest.mark.parametrize(("key", "signed"), VECTORS.items())
def test_it_is_kafkas_default_partitioner(key: bytes, signed: int) -> None:
    """The hash is Java's, its sign bit cleared, modulo the number of partitions."""
    for partitions in (1, 4, 7, 2**31 - 1):
        assert partition_for(key, partitions) == (signed & 0x7FFFFFFF) % partitions


@given(st.binary(max_size=64), st.integers(1, 256))
def test_every_key_has_one_place(key: bytes, partitions: int) -> None:
    """Any key gets a partition that exists, and the same one again."""
    place = partition_for(key, partitions)
    assert 0 <= place < partitions
    assert partition_for(key, partitions) == place
