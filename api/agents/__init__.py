"""Agents: one file per back end behind `base.Agent`."""
