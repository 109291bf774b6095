"""The labelled corpus: `GUIDE.md` how it is labelled, `parts/` the lines, `DATASHEET.md` what it holds.

`load.py` reads it and splits it; `CORRECTIONS.md` tells which labels were changed after a second reading.
"""
