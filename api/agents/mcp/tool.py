"""A tool of an MCP server, as the built-in agent has tools."""

from typing import Any, Protocol

from api.agents.mcp.failures import ServerFailed
from api.agents.mcp.server import Listed, Server
from api.domain.approvals import ToolKind
from api.tools.base import Context, Result


class Caller(Protocol):
    async def call(self, server: Server, tool: Listed, arguments: dict[str, Any], context: Context) -> Result:
        """Raises `ServerFailed`."""
        ...


class McpTool:
    """`caller` reaches the server. Nothing is known of what the tool does but what the server says."""

    def __init__(self, server: Server, listed: Listed, caller: Caller) -> None:
        self.name = listed.offered
        self.description = listed.description
        self.schema = listed.schema
        self.kind: ToolKind = "read" if server.only_reads and listed.reads else "other"
        self._server = server
        self._listed = listed
        self._caller = caller

    def title(self, arguments: dict[str, Any]) -> str:
        return f"{self._listed.title or self._listed.name} ({self._server.name})"[:200]

    def problem(self, arguments: dict[str, Any]) -> str:
        return ""  # The server knows, and says so.

    async def preview(self, arguments: dict[str, Any], context: Context) -> str:
        return ""

    async def run(self, arguments: dict[str, Any], context: Context) -> Result:
        try:
            return await self._caller.call(self._server, self._listed, arguments, context)
        except ServerFailed as error:
            return Result(str(error), is_error=True)
