"""What `vangnet bench pipeline` is made of.

- `stand_in.py`: a classifier that flags one message in fifty without looking, and a worker process that runs with it;
- `school.py`: an installation of the bench's own: folders, keys, Valkey server, groups, and the processes on it;
- `measure.py`: the measurements, one function each.
"""
