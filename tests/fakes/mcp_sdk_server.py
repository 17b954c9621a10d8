"""An MCP server made with the SDK, as most are."""

from mcp.server.mcpserver import MCPServer

server = MCPServer("Sums", version="7")


@server.tool()
def add(a: int, b: int) -> int:
    """The sum of two numbers."""
    if a < 0:
        raise ValueError("Not below zero.")
    return a + b


server.run("stdio")
