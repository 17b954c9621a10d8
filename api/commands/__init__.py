"""Slash commands: one file each, listed in `table`. What a person types after `/` is understood here."""
