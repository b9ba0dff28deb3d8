"""Words: the frozen values that every other room speaks in. Standard library only.

All times are aware and in UTC. What is not known is `None`, never `0` or `""`.
"""
