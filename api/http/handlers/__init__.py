"""What each route does: one file per subject, one function per route."""
