"""The tool that reads a text file, or shows a picture."""

from pathlib import PurePath
from typing import Annotated

import msgspec

from api.domain.errors import UnsupportedMedia
from api.domain.pictures import PictureRefused
from api.tools.base import Context, Result
from api.tools.checked import CheckedTool, folder_of, in_thread
from api.tools.pictures import GivenPicture, picture_in
from api.workspace import files
from api.workspace.files import Reading
from api.workspace.folder import Folder

_LONGEST_LINE = 2000


class Arguments(msgspec.Struct, forbid_unknown_fields=True):
    path: Annotated[str, msgspec.Meta(description="The file, relative to the workspace.")]
    first_line: Annotated[int, msgspec.Meta(ge=1, description="The line to begin with, from 1.")] = 1
    lines: Annotated[int, msgspec.Meta(ge=1, le=5000, description="How many lines to read at most.")] = 2000


class ReadFile(CheckedTool[Arguments]):
    name = "read_file"
    description = (
        "Read a text file of the workspace, or look at a picture in it. Every line comes with its number and a tab "
        "before it, which are not part of the file. Read a file before you change it."
    )
    kind = "read"
    arguments = Arguments

    def name_call(self, arguments: Arguments) -> str:
        return f"Read {arguments.path}"

    async def do(self, arguments: Arguments, context: Context) -> Result:
        folder = folder_of(context)
        name = folder.name_of(arguments.path)
        try:
            reading = await in_thread(files.read, folder, name, first=arguments.first_line, most_lines=arguments.lines)
        except UnsupportedMedia:
            if (picture := await in_thread(_picture, folder, name)) is None:
                raise
            size = f"{picture.width} x {picture.height} pixels"
            return Result(f"[{name} is a picture: {picture.media_type}, {size}.]", pictures=(picture,))
        context.versions[name] = reading.version
        return Result(_numbered(reading) + _remark(reading))


def _picture(folder: Folder, name: str) -> GivenPicture | None:
    try:
        return picture_in(folder.read(name, files.MOST_BYTES).data, PurePath(name).name)
    except PictureRefused:
        return None


def _numbered(reading: Reading) -> str:
    lines = reading.text.removesuffix("\n").split("\n") if reading.text else []
    return "".join(f"{reading.first + number}\t{_cut(line)}\n" for number, line in enumerate(lines))


def _cut(line: str) -> str:
    if len(line) <= _LONGEST_LINE:
        return line
    return f"{line[:_LONGEST_LINE]}… [{len(line) - _LONGEST_LINE:,} characters of this line are not shown]"


def _remark(reading: Reading) -> str:
    if not reading.lines:
        return "[The file is empty.]"
    if not reading.text:
        return f"[The file has only {reading.lines:,} lines.]"
    remarks = []
    if reading.last < reading.lines:
        remarks.append(f"{reading.lines:,} lines in all; go on with first_line={reading.last + 1}.")
    if reading.encoding != "utf-8":
        remarks.append(f"Stored as {reading.encoding}.")
    return f"[{' '.join(remarks)}]" if remarks else ""
