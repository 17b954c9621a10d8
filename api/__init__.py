"""Fireside: a self-hosted home for conversations with AI agents."""

__version__ = "0.1.0"
