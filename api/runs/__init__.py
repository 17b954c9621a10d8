"""Runs: the engine between a session and an agent. Journals every event before it is shown."""
