"""Measurements that need labelled posts."""
