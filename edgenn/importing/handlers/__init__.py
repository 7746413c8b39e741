"""One file per family of builtin ops."""
