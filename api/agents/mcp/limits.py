"""How long and how much an MCP server may take."""

import msgspec


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds and characters."""

    start_s: float = 60.0
    """From its start to its list of tools. A first start of some installs what they need."""
    call_s: float = 600.0
    end_s: float = 1.0
    """A program is asked to end, and made to after this."""
    idle_s: float = 600.0
    """What nobody has used for so long is ended, and its memory given back."""
    result_characters: int = 60_000
