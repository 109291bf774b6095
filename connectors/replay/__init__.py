"""The demo connector: whole conversations of the corpus, as if the pupils of an invented school typed them.

- `demo_school.toml`  the school: groups, people, names, and which conversations each group has
- `school.py`         reads it: `load_school()`
- `conversations.py`  makes of it one timed stream of messages, the same on every run
"""
