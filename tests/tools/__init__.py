"""Tests of what the maintainers run."""
