"""Faust on Redis Streams: the broker of a school that has one machine and no Kafka.

In reading order:

1. `partitioner`: which partition a key belongs to, the same as on Kafka.
2. `streams`: what is stored and the functions on it (append, commit, trim, retention, lag); needs no Faust.
3. `connection`: from a URL to a client, and trying again while the server is away.
4. `lease`: one worker a consumer group.
5. `producer`, `consumer`, `redis`: the three classes that Faust drives.

`streams` and `partitioner` are what a plain publisher uses. Everything assumes one server (no Redis Cluster).
"""
