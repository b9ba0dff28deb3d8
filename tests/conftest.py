"""For all tests: property tests have no deadline of their own, since the machine may be busy with others."""

from hypothesis import settings

settings.register_profile("listener", deadline=None)
settings.load_profile("listener")
