"""Sessions on disk: documents are the truth, the index is derived from them."""
