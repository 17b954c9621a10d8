"""Which agents are installed on this machine. Looks for their commands on PATH and starts nothing."""

import shutil
from collections.abc import Iterator

from api.agents.acp.program import Program

KNOWN: tuple[tuple[str, str, tuple[tuple[str, ...], ...]], ...] = (
    ("hermes", "Hermes Agent", (("hermes-acp",), ("hermes", "acp"))),
    ("opencode", "OpenCode", (("opencode", "acp"),)),
    ("claude", "Claude Code", (("claude-agent-acp",), ("claude-code-acp",))),
    ("codex", "Codex", (("codex-acp",),)),
    ("gemini", "Gemini CLI", (("gemini", "--acp"),)),
    ("goose", "Goose", (("goose", "acp"),)),
    ("qwen", "Qwen Code", (("qwen", "--acp"),)),
    ("vibe", "Mistral Vibe", (("vibe-acp",),)),
    ("cline", "Cline", (("cline", "--acp"),)),
    ("fast-agent", "fast-agent", (("fast-agent-acp",),)),
    ("pi", "Pi", (("pi-acp",),)),
    ("openhands", "OpenHands", (("openhands", "acp"),)),
)
"""Name, title, and the command lines that start it, the best first."""


def found(path: str) -> Iterator[Program]:
    """The known agents whose commands are in a folder of `path`, as PATH is written."""
    for name, title, commands in KNOWN:
        for command, *arguments in commands:
            if program := shutil.which(command, path=path):
                yield Program(name=name, title=title, argv=(program, *arguments), source="found")
                break
