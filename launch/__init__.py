"""What `./run` does before the program starts: fetch, install and build what is missing. Standard library only."""
