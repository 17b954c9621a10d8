"""Where settings come from, and what is said of one that cannot be."""

from pathlib import Path
from typing import Any

import pytest

from api.settings import SettingsError, default_state_dir, load_settings


def _load(folder: Path, file: str = "", environ: dict[str, str] | None = None, **given: Any) -> Any:
    (folder / "config.toml").write_text(file)
    return load_settings({"FIRESIDE_STATE_DIR": str(folder), "HOME": str(folder), **(environ or {})}, **given)


def test_the_command_line_wins_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    file, environ = "port = 1\nmodel = 'file'", {"FIRESIDE_PORT": "2"}

    assert _load(tmp_path).port == 8787
    assert _load(tmp_path, file).port == 1
    assert _load(tmp_path, file, environ).port == 2
    assert _load(tmp_path, file, environ, port="3").port == 3
    assert _load(tmp_path, file, environ, port=None).model == "file"


def test_an_empty_variable_counts_as_none(tmp_path: Path) -> None:
    assert _load(tmp_path, "port = 1", {"FIRESIDE_PORT": "", "FIRESIDE_TOKEN": ""}).port == 1


@pytest.mark.parametrize("value", ['"a.example, b.example:443 ,"', '["a.example", "b.example:443"]'])
def test_names_are_given_as_a_list_or_with_commas(value: str, tmp_path: Path) -> None:
    assert _load(tmp_path, f"hosts = {value}").hosts == ("a.example", "b.example:443")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("PORT", value) for value in ("x", "-1", "65536", "８０", "1.5", "1_0", "0x50")],
        ("TOKEN", "short"),
        ("LOG_LEVEL", "loud"),
        ("SCRIPTED", "maybe"),
        ("WORKSPACE", "~nobody-of-this-name/x"),
    ],
)
def test_a_value_that_cannot_be_is_refused_in_a_sentence(name: str, value: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"^(FIRESIDE_\w+|A folder) .*\.$"):
        _load(tmp_path, environ={f"FIRESIDE_{name}": value})


@pytest.mark.parametrize("file", ["port = true", "hosts = 5", "prot = 1", "port = ", "\x00", "[server]\nport = 1"])
def test_a_file_that_cannot_be_is_refused_in_a_sentence(file: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError):
        _load(tmp_path, file)


def test_data_lives_where_the_platform_keeps_it_unless_someone_says_otherwise(tmp_path: Path) -> None:
    assert default_state_dir({"FIRESIDE_STATE_DIR": "here"}) == Path("here").absolute()
    assert default_state_dir({"XDG_DATA_HOME": str(tmp_path)}).parent == tmp_path
