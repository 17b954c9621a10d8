"""The built-in agent: models of connected providers, tools, and the loop between them."""
