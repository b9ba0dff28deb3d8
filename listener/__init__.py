"""Listener: hears a complaint where it is said, judges it, queues it, tells someone."""

__version__ = "0.1.0"
