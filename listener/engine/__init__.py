"""Engines: what runs jobs at their times. The truth is in the database; an engine only rings the bell (ADR 0007)."""
