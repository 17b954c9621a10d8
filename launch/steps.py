"""How a set-up step is run: shown while it goes on, explained in a sentence when it cannot."""

from __future__ import annotations

import sys
from pathlib import Path

PROGRESS = ("Downloading ", "Downloaded ", "Building ", "Built ")
# What the clients (pip, uv, npm) say when the other side is out of reach.
NO_NETWORK = (
    "NewConnectionError",
    "ConnectTimeoutError",
    "Failed to establish a new connection",
    "NameResolutionError",
    "error sending request",
    "dns error",
    "tcp connect error",
    "EAI_AGAIN",
    "ENOTFOUND",
    "ECONNREFUSED",
    "ETIMEDOUT",
    "ENETUNREACH",
)
NO_SPACE = ("No space left on device", "ENOSPC", "os error 28", "Disk quota exceeded")


class CannotGoOn(Exception):
    """The set-up has to stop; the message is one sentence for the person who typed `./run`."""


def say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


def run_step(command: list[str | Path], *, env: dict[str, str], cwd: Path, what: str) -> None:
    """Run `command` to its end, showing only its progress.

    Raises:
        CannotGoOn: it failed; `what` ("The packages could not be installed") begins the sentence.
    """
    import subprocess

    # close_fds=False hands the set-up lock on: should this process be killed, the next start waits for the orphan.
    process = subprocess.Popen(
        [str(part) for part in command],
        env=env,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        close_fds=False,
    )
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line.rstrip())
        if line.lstrip().startswith(PROGRESS):
            say("  " + line.strip())
    if process.wait() != 0:
        raise explained(what, "\n".join(lines))


def explained(what: str, output: str) -> CannotGoOn:
    """The sentence for a failed step. A failure with no known cause shows the end of the tool's own words above it."""
    if any(mark in output for mark in NO_SPACE):
        return CannotGoOn(f"{what} because the disk is full: free some space, then start ./run again.")
    if any(mark in output for mark in NO_NETWORK):
        return CannotGoOn(
            f"{what} because the package index could not be reached: check the network, or the index that "
            "pip or npm is set to use, then start ./run again."
        )
    for line in output.splitlines()[-20:]:
        say("  | " + line)
    return CannotGoOn(f"{what}, for the reason above: mend that, then start ./run again.")
