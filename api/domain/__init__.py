"""Values and decisions. Does no I/O and knows no framework, clock or environment."""
