"""The charts of the page, one a file; each draws with matplotlib on a ``Sheet``."""
