"""Access: who is asking, and whether this server may answer them."""
