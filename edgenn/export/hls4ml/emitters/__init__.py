"""One file for each family of operators; each registers its functions when it is imported."""
