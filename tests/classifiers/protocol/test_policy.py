from pathlib import Path

import pytest

from classifiers.errors import ProtocolError
from classifiers.labels import LABELS
from classifiers.protocol import OPERATING_POINTS, load_policy
from classifiers.protocol.policy import THRESHOLDS

CUTS = "{ " + ", ".join(f"{label} = 0.5" for label in LABELS) + " }"
FILE = f"""
default = "proef"
personal_data = 0.6
[models.proef.rustig]
date = 2026-01-01
run = "proef"
any = 0.7
labels = {CUTS}
[models.proef.waakzaam]
date = 2026-01-01
run = "proef"
any = 0.4
labels = {CUTS}
"""


def test_both_operating_points_ship_and_calm_flags_less() -> None:
    """`rustig` never flags what `waakzaam` does not."""
    calm, watchful = (load_policy(point) for point in OPERATING_POINTS)
    assert calm.models.keys() == watchful.models.keys()
    for family, cuts in calm.models.items():
        assert cuts.any > watchful.models[family].any


def test_the_shipped_thresholds_say_when_and_by_which_run_they_were_chosen() -> None:
    """A threshold without its origin is a guess."""
    for family, cuts in load_policy().models.items():
        assert cuts.date, family
        assert cuts.run, family
    assert THRESHOLDS.exists()


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("any = 0.7", "any = 1.7", "[models.proef.rustig] has 1.7 for any"),
        ("flamen = 0.5, ", "", "lacks a threshold for flamen"),
        ('default = "proef"', 'default = "weg"', "default is 'weg'"),
        ("personal_data = 0.6", "personal_data = 0", "personal_data is 0.0"),
        ("[models.proef.rustig]", "[models.proef.rustiger]", "operating point rustig"),
        ('run = "proef"', "", "missing required field `run`"),
        ("default =", "default", "is not valid TOML"),
    ],
)
def test_an_edited_file_that_does_not_fit_is_refused(tmp_path: Path, old: str, new: str, says: str) -> None:
    """Whoever edits thresholds learns which line is wrong."""
    edited = tmp_path / "thresholds.toml"
    assert old in FILE
    edited.write_text(FILE.replace(old, new, 1))
    with pytest.raises(ProtocolError) as caught:
        load_policy("rustig", edited)
    assert says in str(caught.value)


def test_an_unknown_operating_point_or_missing_file_is_a_clear_error(tmp_path: Path) -> None:
    """The choices are named."""
    with pytest.raises(ProtocolError, match="choose rustig or waakzaam"):
        load_policy("streng")
    with pytest.raises(ProtocolError, match="cannot read the thresholds"):
        load_policy("rustig", tmp_path / "weg.toml")
