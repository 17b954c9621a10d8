"""Which of a person's settings reach the tools that set up, and which do not."""

from pathlib import Path

from launch import surroundings

LISTING = """:env:.timeout='60'
global.extra-index-url='\\nfile:///one\\nfile:///two'
global.index-url='file:///everyone'
global.require-virtualenv='true'
install.index-url='file:///mirror'
download.index-url='file:///other'
"""


def test_pips_files_count_for_uv_as_they_do_for_pip_install():
    env = surroundings.for_uv({}, surroundings.settings_in_files(LISTING))

    assert env["UV_DEFAULT_INDEX"] == "file:///mirror"
    assert env["UV_EXTRA_INDEX_URL"] == "file:///one file:///two"


def test_what_is_set_for_uv_counts_before_what_is_set_for_pip():
    environ = {"UV_DEFAULT_INDEX": "file:///uv", "PIP_INDEX_URL": "file:///pip"}

    env = surroundings.for_uv(environ, surroundings.pip_settings(None, environ))

    assert env["UV_DEFAULT_INDEX"] == "file:///uv"


def test_a_folder_of_packages_that_is_not_there_is_passed_over_as_by_pip(tmp_path: Path):
    wheels = f"/nowhere {tmp_path} file:///nowhere file://{tmp_path} scheme://host/wheels"

    env = surroundings.for_uv({}, {"find-links": wheels})

    assert env["UV_FIND_LINKS"] == f"{tmp_path},file://{tmp_path},scheme://host/wheels"
    assert "UV_FIND_LINKS" not in surroundings.for_uv({}, {"find-links": "/nowhere"})


def test_settings_for_other_installations_reach_neither_tool():
    environ = {"PIP_TARGET": "/x", "UV_PROJECT": "/x", "PYTHONPATH": "/x", "VIRTUAL_ENV": "/x", "CONDA_PREFIX": "/x"}

    for env in (surroundings.for_pip(environ), surroundings.for_uv(environ, {})):
        assert not environ.keys() & env.keys()


def test_pip_installs_into_our_folder_even_where_its_files_forbid_it():
    env = surroundings.for_pip({"PIP_REQUIRE_VIRTUALENV": "1", "PIP_USER": "1", "HOME": "/home/a"})

    assert (env["PIP_REQUIRE_VIRTUALENV"], env["PIP_USER"], env["HOME"]) == ("0", "0", "/home/a")
