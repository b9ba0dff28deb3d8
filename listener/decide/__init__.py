"""Decisions: pure functions, in the order in which a mention meets them.

`normalise` (an item becomes a mention), `match` (what it is about), `judge`, `prioritise`, `correlate` (which case),
`route` (who is told), `schedule` (when we look again), `render` (what is said). `fold` is the form in which texts and
terms are compared. Nothing here reads a clock, a file, the network or a database.
"""
