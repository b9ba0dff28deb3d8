"""Programs for maintainers, outside the installed program."""
