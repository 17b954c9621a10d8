"""Tools: what the built-in agent offers to a model, as data. One file each, listed in table.py."""
