"""Which skills there are, by what folders hold: nothing in one of them hides or fails the others."""

from pathlib import Path
from typing import Any

import pytest

from api.domain.errors import NotFound
from api.tools.skill_folders import MOST_FOLDERS, Skill
from api.tools.skills import MOST_SKILLS, Skills, Switches


class Record:
    """A small object that is kept in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, Any] = {}

    def read(self) -> dict[str, Any]:
        return self.kept

    def write(self, value: dict[str, Any]) -> None:
        self.kept = value


@pytest.fixture
def record() -> Record:
    return Record()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "project").mkdir()
    return tmp_path / "project"


@pytest.fixture
def skills(tmp_path: Path, home: Path, record: Record) -> Skills:
    return Skills(tmp_path / "state/skills", home, Switches(record))


def write(folder: Path, name: str, description: str = "How it is done") -> Path:
    folder.mkdir(parents=True)
    (folder / "SKILL.md").write_text(f"---\nname: {name}\ndescription: {description}\n---\nThe text.\n")
    return folder


def problems(found: list[Skill]) -> list[tuple[str, str | None]]:
    return [(skill.name, skill.problem) for skill in found]


def test_one_that_is_switched_off_leaves_its_name_to_the_next_and_takes_it_back(
    skills: Skills, home: Path, project: Path
) -> None:
    write(project / ".claude/skills/release", "release", "Of the project")
    write(home / ".claude/skills/release", "release", "Of the person")
    first, second = skills.all(project).skills

    assert problems([first, second]) == [("release", None), ("release", "name_taken")]
    skills.switch(first.id, project, on=False)
    assert [skill.description for skill in skills.of(project)] == ["Of the person"]
    skills.switch(first.id, project, on=True)
    assert [skill.description for skill in skills.of(project)] == ["Of the project"]


def test_what_is_off_is_one_folder_whatever_links_lead_to_it_and_no_other_of_its_name(
    skills: Skills, home: Path, project: Path, tmp_path: Path, record: Record
) -> None:
    folder = write(home / ".agents/skills/release", "release")
    (home / ".claude/skills").mkdir(parents=True)
    (home / ".claude/skills/release").symlink_to(folder)
    [skill] = skills.all(None).skills
    record.kept = {"of a newer version": 1}

    skills.switch(skill.id, None, on=False)
    write(project / ".claude/skills/release", "release")

    assert skills.of(None) == []
    assert [one.folder for one in skills.of(project)] == [project / ".claude/skills/release"]
    assert record.kept == {"of a newer version": 1, "off": {skill.id: str(folder / "SKILL.md")}}
    (folder / "SKILL.md").write_text("---\nname: other\ndescription: Another text\n---\n")
    assert Skills(tmp_path / "state/skills", home, Switches(record)).of(None) == []
    with pytest.raises(NotFound):
        skills.switch("nothing", None, on=False)


def test_so_many_are_offered_and_one_that_is_switched_off_makes_room(skills: Skills, home: Path) -> None:
    for number in range(MOST_SKILLS + 1):
        write(home / f".claude/skills/s{number:03}", f"s{number:03}")
    *others, last = skills.all(None).skills

    assert (last.name, last.problem) == (f"s{MOST_SKILLS}", "too_many")
    skills.switch(others[0].id, None, on=False)
    assert [skill.name for skill in skills.of(None)] == [skill.name for skill in [*others[1:], last]]


def test_a_folder_that_holds_too_much_hides_nothing_of_the_persons_own(
    skills: Skills, home: Path, project: Path
) -> None:
    write(home / ".claude/skills/mine", "mine")
    for number in range(MOST_FOLDERS):
        (project / f".agents/skills/empty{number}").mkdir(parents=True)
    assert not skills.all(project).is_cut
    write(project / ".claude/skills/late", "late")

    found = skills.all(project)

    assert (problems(found.skills), found.is_cut) == ([("mine", None)], True)


def test_files_without_end_in_folders_that_are_no_skills_are_not_all_looked_at(
    skills: Skills, home: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.tools.skill_folders.MOST_ENTRIES", 10)
    write(home / ".claude/skills/mine", "mine")
    (project / ".agents/skills/much").mkdir(parents=True)
    for number in range(10):
        (project / f".agents/skills/much/{number}").symlink_to(f"{(number + 1) % 10}")
    write(project / ".claude/skills/late", "late")

    found = skills.all(project)

    assert (problems(found.skills), found.is_cut) == ([("mine", None)], True)


@pytest.mark.parametrize(
    ("head", "told"),
    [
        ("description: Use a > b | c", "Use a > b | c"),
        ("description: >-\n  How it\n  goes on", "How it goes on"),
        ('description: "Quoted"', "Quoted"),
        ("description: a\u202eb\x07c", "a b c"),
        ("description: The end\n---", "The end"),
    ],
)
def test_a_description_is_told_in_one_line_without_what_cannot_be_seen(
    skills: Skills, home: Path, head: str, told: str
) -> None:
    folder = write(home / ".claude/skills/a", "a")
    (folder / "SKILL.md").write_text(f"---\n{head}\n---")

    assert [(skill.name, skill.description) for skill in skills.of(None)] == [("a", told)]
