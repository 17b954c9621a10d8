"""State folders of other versions: older ones are copied before they are changed, newer ones are not touched."""

import json
import zipfile
from pathlib import Path

import pytest

from api.sessions.keeping.format import FORMAT, MARK, NewerFormat, Step, bring_up_to_date, check_format
from tests.faults.test_refused_starts import refusal
from tests.serving import ROOT, ServerProcess

EARLIER = ROOT / "tests/sessions/keeping/earlier"


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_folder_of_a_newer_version_is_refused_and_not_touched(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path / "state")
    server.state_dir.mkdir()
    (server.state_dir / MARK).write_text(json.dumps({"format": FORMAT + 1}))
    (server.state_dir / "sessions.parquet").write_text("of the future")
    before = everything(server.state_dir)

    said = refusal(server)

    assert "newer version" in said
    assert everything(server.state_dir) == before
    assert "newer version" in server.doctor()
    assert everything(server.state_dir) == before


def test_a_start_marks_the_folder(tmp_path: Path) -> None:
    with ServerProcess(tmp_path / "state") as server:
        assert json.loads((server.state_dir / MARK).read_bytes()) == {"format": FORMAT}
    (server.state_dir / MARK).write_bytes(b"{")
    with server:
        assert json.loads((server.state_dir / MARK).read_bytes()) == {"format": FORMAT}


class Upgrade:
    """Puts every note into capitals. Dies after the first as often as it is told to."""

    def __init__(self, deaths: int = 0) -> None:
        self.deaths = deaths

    def __call__(self, folder: Path) -> None:
        for path in sorted(folder.glob("*.note")):
            path.write_text(path.read_text().upper())
            if self.deaths:
                self.deaths -= 1
                raise OSError("died")


@pytest.fixture
def older(tmp_path: Path) -> Path:
    folder = tmp_path / "older"
    folder.mkdir()
    for name in "ab":
        (folder / f"{name}.note").write_text(f"note {name}")
    (folder / "secrets.json").write_text("{}")
    return folder


def test_before_a_format_is_changed_a_verified_copy_is_taken_once(older: Path) -> None:
    before = everything(older)
    step = Step(2, Upgrade(deaths=2))
    for _ in range(2):
        with pytest.raises(OSError, match="died"):
            bring_up_to_date(older, steps=[step], newest=2)
    bring_up_to_date(older, steps=[step], newest=2)
    bring_up_to_date(older, steps=[Step(2, Upgrade(deaths=1))], newest=2)

    assert (older / "a.note").read_text() == "NOTE A"
    (copy,) = (older / "backups").iterdir()
    with zipfile.ZipFile(copy) as archive:
        kept = {name: archive.read(name) for name in archive.namelist() if name != "manifest.json"}
    assert kept == before
    with pytest.raises(NewerFormat):
        check_format(older)


def test_a_copy_that_cannot_be_taken_leaves_the_folder_as_it_was(older: Path) -> None:
    (older / "backups").write_text("a file in the way")
    before = everything(older)

    with pytest.raises(OSError, match="directory"):
        bring_up_to_date(older, steps=[Step(2, Upgrade())], newest=2)

    assert everything(older) == before


# Bad input 73
@pytest.mark.parametrize("made", sorted(EARLIER.iterdir()), ids=lambda path: path.name)
def test_a_folder_of_an_earlier_version_opens_says_the_same_and_keeps_what_is_rewritten(
    made: Path, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    for name, content in everything(made).items():
        (state / name).parent.mkdir(parents=True, exist_ok=True)
        (state / name).write_bytes(content)
    originals = {path.stem: path.read_bytes() for path in (state / "sessions").glob("[!_]*.json")}

    for round in range(2):
        with ServerProcess(state) as server:
            client = server.client()
            for session, raw in originals.items():
                said = [message["content"] for message in json.loads(raw)["messages"]]
                found = [message["content"] for message in client.messages(session)]
                assert found[: len(said)] == said
                client.post("/api/session/pin", session_id=session, pinned=bool(round))
            assert server.doctor().endswith("Nothing is wrong.\n"), server.doctor()
    for session, raw in originals.items():
        kept = list((state / "sessions/_older").glob(f"{session}.*.json"))
        assert [path.read_bytes() for path in kept] == ([] if json.loads(raw).get("schema") == 1 else [raw])
