"""The workspace: what an agent and a person may touch, and the programs that are started there."""
