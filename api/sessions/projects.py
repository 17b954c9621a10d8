"""Projects: names and colours that sessions can be filed under."""

import threading
from typing import Any, Protocol

import msgspec

from api.domain.errors import BadRequest, Conflict, NotFound
from api.domain.ids import new_project_id

COLORS = ("ember", "amber", "moss", "teal", "sky", "violet", "rose", "stone")
MAX_PROJECTS = 500


class Record(Protocol):
    """A small JSON object kept on disk."""

    def read(self) -> dict[str, Any]: ...

    def write(self, value: dict[str, Any]) -> None: ...


class Project(msgspec.Struct, frozen=True):
    """`color` is a name that themes give a value to."""

    project_id: str
    name: str
    color: str


class Projects:
    """All projects of this server, in the order in which they were made. Safe to call from any thread."""

    def __init__(self, record: Record) -> None:
        """`record` is `{projects: [{project_id, name, color}]}`."""
        self._record = record
        self._lock = threading.Lock()

    def all(self) -> list[Project]:
        kept = self._record.read().get("projects")
        entries = kept if isinstance(kept, list) else []
        return [project for entry in entries if (project := _project(entry))]

    def create(self, name: str, color: str | None = None) -> Project:
        """Raises:
        BadRequest: the name or colour cannot be used.
        Conflict: there is one of that name, or there are too many.
        """
        with self._lock:
            every = self.all()
            if len(every) >= MAX_PROJECTS:
                raise Conflict(
                    f"There are {MAX_PROJECTS} projects already.", code="too_many_projects", most=MAX_PROJECTS
                )
            project = Project(new_project_id(), _name(name, every), _color(color or COLORS[len(every) % len(COLORS)]))
            self._write([*every, project])
            return project

    def change(self, project_id: str, *, name: str | None = None, color: str | None = None) -> Project:
        """Give a project another name or colour. Raises as `create`, and NotFound."""
        with self._lock:
            every = self.all()
            project = _find(every, project_id)
            others = [one for one in every if one != project]
            changed = Project(
                project_id,
                _name(name, others) if name is not None else project.name,
                _color(color) if color is not None else project.color,
            )
            self._write([changed if one == project else one for one in every])
            return changed

    def delete(self, project_id: str) -> None:
        """Forget a project. Its sessions stay, and are in none.

        Raises:
            NotFound: there is no such project.
        """
        with self._lock:
            every = self.all()
            project = _find(every, project_id)
            self._write([one for one in every if one != project])

    def check(self, project_id: str | None) -> None:
        """Raises:
        NotFound: there is no such project.
        """
        if project_id is not None:
            _find(self.all(), project_id)

    def _write(self, every: list[Project]) -> None:
        self._record.write({"projects": [msgspec.structs.asdict(one) for one in every]})


def _project(entry: Any) -> Project | None:
    try:
        return msgspec.convert(entry, Project)
    except msgspec.ValidationError:
        return None


def _find(every: list[Project], project_id: str) -> Project:
    for project in every:
        if project.project_id == project_id:
            return project
    raise NotFound("There is no such project any more.", code="project_not_found", field="project_id")


def _name(name: str, others: list[Project]) -> str:
    name = " ".join(name.split())
    if not name:
        raise BadRequest("A project needs a name.", code="empty_name", field="name")
    if any(other.name.casefold() == name.casefold() for other in others):
        raise Conflict("There is a project of that name already.", code="name_taken", field="name")
    return name


def _color(color: str) -> str:
    if color not in COLORS:
        raise BadRequest(f"A color is one of {', '.join(COLORS)}.", code="bad_color", field="color")
    return color
