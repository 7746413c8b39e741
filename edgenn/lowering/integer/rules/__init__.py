"""The rules, one family a file; importing a file registers its rules."""
