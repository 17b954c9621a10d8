"""The index, and what is asked of it: lists and searches. Derived from the documents, and disposable."""
