"""Shipped doubles and inherited test suites, for our own tests and for those of third-party connectors and notifiers."""
