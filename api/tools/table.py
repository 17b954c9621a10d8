"""The tools that the built-in agent offers to a model, each in a file of its own."""

from api.tools.base import Tool
from api.tools.edit_file import EditFile
from api.tools.fetch_url import FetchUrl
from api.tools.list_folder import ListFolder
from api.tools.read_file import ReadFile
from api.tools.run_command import RunCommand
from api.tools.search_files import SearchFiles
from api.tools.write_file import WriteFile


def all_tools() -> list[Tool]:
    return [ReadFile(), ListFolder(), SearchFiles(), WriteFile(), EditFile(), RunCommand(), FetchUrl()]
