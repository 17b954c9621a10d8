"""Working stand-ins for the outside world; the bench uses them too."""
