"""`./run`: what it sets up, when it does not, and what it says when it cannot."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from launch import environment, page, uv
from launch.steps import CannotGoOn, explained
from tests.packaging.conftest import ROOT, Checkout

SET_UP_FROM_NOTHING = ["venv --clear", "pip sync"]


def finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=30)
    return process.returncode, out, err


def wait_until(condition, timeout_s: float = 20) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.01)


def test_a_second_start_sets_nothing_up_and_says_nothing(checkout: Checkout):
    first = finish(checkout.start("doctor"))

    code, out, err = finish(checkout.start("doctor"))

    assert first[0] == code == 0
    assert checkout.asked() == SET_UP_FROM_NOTHING
    assert out.splitlines()[1] == "doctor"
    assert err == ""


def test_the_program_starts_where_the_person_is(checkout: Checkout, tmp_path: Path):
    code, out, _ = finish(checkout.start("--state-dir", "here", cwd=tmp_path))

    assert code == 0
    assert out.splitlines() == [str(tmp_path), "--state-dir here"]


def test_neither_the_persons_folder_nor_pythonpath_takes_the_programs_place(checkout: Checkout, tmp_path: Path):
    elsewhere = tmp_path / "elsewhere"
    for name in ("api/__init__.py", "api/__main__.py", "launch/__init__.py"):
        (elsewhere / name).parent.mkdir(parents=True, exist_ok=True)
        (elsewhere / name).write_text("raise SystemExit('the wrong one')")

    code, _, err = finish(checkout.start(cwd=elsewhere, PYTHONPATH=str(elsewhere), VIRTUAL_ENV=str(elsewhere)))

    assert (code, "wrong" in err) == (0, False)


def test_uv_is_told_of_mirrors_but_not_of_other_environments(checkout: Checkout):
    finish(
        checkout.start(
            PIP_INDEX_URL="file:///mirror",
            PIP_TARGET="/x",
            UV_PYTHON="3.0",
            UV_PROJECT_ENVIRONMENT="/x",
            VIRTUAL_ENV="/x",
        )
    )

    told = dict(line.split("=", 1) for line in (checkout.root / "environment").read_text().splitlines() if "=" in line)
    assert told["UV_DEFAULT_INDEX"] == "file:///mirror"
    assert not {"PIP_TARGET", "UV_PYTHON", "UV_PROJECT_ENVIRONMENT", "VIRTUAL_ENV", "PYTHONPATH"} & told.keys()


def test_a_changed_lock_is_synced_into_the_environment_that_is_there(checkout: Checkout):
    finish(checkout.start())
    checkout.write("requirements.lock", "one==2\n")

    code, _, _ = finish(checkout.start())

    assert code == 0
    assert checkout.asked() == [*SET_UP_FROM_NOTHING, "pip sync"]


def test_what_was_set_up_for_the_tests_serves_the_program_too(checkout: Checkout):
    finish(checkout.start("test"))  # pytest is missing from this environment; the set-up before it is what counts

    code, _, _ = finish(checkout.start())

    assert code == 0
    assert checkout.asked() == SET_UP_FROM_NOTHING


def test_two_starts_at_once_set_up_once(checkout: Checkout):
    hold = checkout.write("hold", "")
    first = checkout.start()
    wait_until(lambda: checkout.asked() == SET_UP_FROM_NOTHING)
    second = checkout.start()
    assert second.stderr is not None
    said = second.stderr.readline()
    hold.unlink()

    codes = finish(first)[0], finish(second)[0]

    assert "waiting" in said
    assert codes == (0, 0)
    assert checkout.asked() == SET_UP_FROM_NOTHING


def test_a_set_up_killed_half_way_is_made_anew_once_its_orphans_are_gone(checkout: Checkout):
    hold = checkout.write("hold", "")
    killed = checkout.start()
    wait_until(lambda: checkout.asked() == SET_UP_FROM_NOTHING)
    killed.kill()
    killed.wait()
    repair = checkout.start()
    assert repair.stderr is not None
    said = repair.stderr.readline()
    hold.unlink()

    code, _, _ = finish(repair)

    assert "waiting" in said
    assert code == 0
    assert checkout.asked() == SET_UP_FROM_NOTHING * 2


def test_an_environment_whose_python_went_away_is_made_anew(checkout: Checkout):
    finish(checkout.start())
    python = checkout.root / ".venv/bin/python"
    python.unlink()
    python.symlink_to("/nowhere/python3")

    code, _, _ = finish(checkout.start())

    assert code == 0
    assert checkout.asked() == SET_UP_FROM_NOTHING * 2


def test_a_moved_checkout_goes_on_working(checkout: Checkout, tmp_path: Path):
    finish(checkout.start())
    moved = checkout.root.rename(tmp_path / "moved")

    told = subprocess.run([sys.executable, moved / "run", "hello"], capture_output=True, text=True, cwd=tmp_path)

    assert told.stdout.splitlines() == [str(tmp_path), "hello"]
    assert (moved / "asked").read_text().splitlines() == SET_UP_FROM_NOTHING


def test_an_index_out_of_reach_is_one_sentence(checkout: Checkout):
    checkout.write("fail", "error: Request failed after 3 retries\n  Caused by: dns error: failed to look up address")

    code, _, err = finish(checkout.start())

    assert code == 1
    assert err.splitlines()[-1].startswith("The packages could not be installed because the package index")
    assert not any("Caused by" in line for line in err.splitlines())


def test_an_unknown_failure_shows_what_the_tool_said(checkout: Checkout):
    checkout.write("fail", "error: the wheel is bewitched")

    code, _, err = finish(checkout.start())

    assert code == 1
    assert "  | error: the wheel is bewitched" in err.splitlines()


def test_a_folder_that_cannot_be_written_is_one_sentence(checkout: Checkout):
    (checkout.root / ".venv.lock").mkdir()

    code, _, err = finish(checkout.start())

    assert code == 1
    assert err.startswith("Fireside has something to set up but cannot write to its folder")
    assert len(err.splitlines()) == 1


def test_a_full_disk_is_one_sentence():
    assert "the disk is full" in str(explained("It could not be done", "OSError: [Errno 28] No space left on device"))


def test_a_python_without_pip_and_venv_is_told_what_to_install(checkout: Checkout, monkeypatch: pytest.MonkeyPatch):
    (checkout.root / ".venv-uv/stamp").unlink()
    monkeypatch.setattr(uv, "find_spec", lambda name: None)

    with pytest.raises(CannotGoOn, match=r"neither pip nor the venv module.*apt install python3-venv"):
        uv.uv_step(checkout.root, ["--version"], what="It could not be done")


def test_a_test_named_from_where_the_person_is_is_found_from_the_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from launch.main import anchored

    (tmp_path / "test_one.py").touch()
    monkeypatch.chdir(tmp_path)

    assert anchored("test_one.py::test_a[x::y]") == f"{tmp_path}/test_one.py::test_a[x::y]"
    assert [anchored(word) for word in ("-k", "test_two.py", "-x")] == ["-k", "test_two.py", "-x"]


@pytest.mark.skipif(
    not (environment.environment_is_ready(ROOT, environment.RUNTIME) and page.page_is_ready(ROOT)),
    reason="this checkout was not set up by ./run",
)
def test_help_names_the_commands():
    told = subprocess.run([ROOT / "run", "--help"], capture_output=True, text=True, timeout=30, check=True)

    assert all(word in told.stdout for word in ("serve", "doctor", "reindex", "openapi", "--port", "--state-dir"))
