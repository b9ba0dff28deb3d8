"""Named places where a test may kill the process, to prove that nothing is lost there.

`LISTENER_FAILPOINT=poll.fetched:2` kills the process with SIGKILL when the place is reached for the second time. Without
the variable, which the systemd unit cannot carry by accident, a place costs one comparison.
"""

import os
import signal
from itertools import count

_spec = os.environ.get("LISTENER_FAILPOINT", "")
_name, _, _nth = _spec.partition(":")
_hits = count(1)


def reach(name: str) -> None:
    """Die here if the environment asks for it."""
    if _name and name == _name and next(_hits) == int(_nth or "1"):
        os.kill(os.getpid(), signal.SIGKILL)
