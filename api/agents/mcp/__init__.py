"""MCP servers: programs and addresses that give the built-in agent more tools."""
