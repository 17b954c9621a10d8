"""Documents on the disk: read, written, set aside, deleted. Holds the one writer of files."""
