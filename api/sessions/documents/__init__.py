"""What a session is and what can be done to one, in memory: knows no folder, no index and no other session."""
