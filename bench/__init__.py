"""What is promised about speed, measured beside the floor that the machine sets. `python -m bench`."""
