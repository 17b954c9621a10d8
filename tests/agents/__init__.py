"""Tests of `api/agents`."""
