"""One module is one connector: code that knows one kind of place we listen to.

The registry finds the modules by listing this folder; `docs/sources.md` and CONTRIBUTING.md say how to add one.
"""
