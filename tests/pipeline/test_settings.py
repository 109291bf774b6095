"""What a school writes into its environment becomes one checked object, or a sentence."""

import pytest

from pipeline.errors import SettingsError
from pipeline.settings import Settings, load_settings


def test_an_empty_variable_is_one_that_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compose files and service units hand variables on empty; the default then counts, as the README says."""
    for name in Settings.model_fields:
        monkeypatch.setenv(f"VANGNET_{name.upper()}", "")
    assert load_settings() == Settings.model_construct()


@pytest.mark.parametrize(
    ("name", "value"), [("WEB_PORT", "abc"), ("BATCH_SIZE", "0"), ("OPERATING_POINT", "streng"), ("SEEN_DAYS", "1")]
)
def test_a_wrong_value_is_named(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sentence names the variable."""
    monkeypatch.setenv(f"VANGNET_{name}", value)
    with pytest.raises(SettingsError, match=f"VANGNET_{name}: "):
        load_settings()


def test_a_password_is_in_no_error_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is refused beside it, the URL with its password is not repeated."""
    monkeypatch.setenv("VANGNET_REDIS", "redis://:zeergeheim@localhost")
    monkeypatch.setenv("VANGNET_WEB_PORT", "abc")
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert "zeergeheim" not in str(caught.value)


def test_keys_inside_the_data_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy of the data alone must be unreadable."""
    monkeypatch.setenv("VANGNET_DATA", "var")
    monkeypatch.setenv("VANGNET_KEYS", "var/sleutels")
    with pytest.raises(SettingsError, match="Choose a folder outside it"):
        load_settings()
