"""What went wrong with an MCP server, as a sentence for the person and for the model."""

from api.agents.murmur import sentence


class ServerFailed(Exception):
    """A server did not do what was asked of it. The text says so."""


def not_started(name: str, why: str) -> ServerFailed:
    return ServerFailed(f"The MCP server {name!r} could not be started. {sentence(why)}".rstrip())


def not_reached(name: str, why: str) -> ServerFailed:
    return ServerFailed(f"The MCP server {name!r} could not be reached. {sentence(why)}".rstrip())


def stopped(name: str, last_words: str) -> ServerFailed:
    said = f" Its last words: {sentence(last_words)}" if last_words else ""
    return ServerFailed(f"The MCP server {name!r} ended before it had answered.{said} The next call starts it anew.")


def silent(name: str, seconds: float) -> ServerFailed:
    message = f"The MCP server {name!r} did not answer within {seconds:.0f} seconds, so it was ended."
    return ServerFailed(f"{message} The next call starts it anew.")


def refused(name: str, words: str) -> ServerFailed:
    return ServerFailed(f"The MCP server {name!r} reports a problem: {sentence(words or 'it did not say which')}")


def nonsense(name: str) -> ServerFailed:
    return ServerFailed(f"The answer of the MCP server {name!r} is none that MCP knows.")


def gone(name: str) -> ServerFailed:
    return ServerFailed(f"The MCP server {name!r} was removed or changed, so this was not done.")


def switched_off(name: str, tool: str) -> ServerFailed:
    return ServerFailed(f"The tool {tool!r} of the MCP server {name!r} was switched off, so this was not done.")
