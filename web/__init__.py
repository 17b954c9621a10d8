"""The page: its sources, with the Python that builds them."""
