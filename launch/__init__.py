"""What `./run` does before the program starts: fetch, install and build whatever is missing, with the standard library only."""
