"""The polite client: deadlines for whole exchanges, size caps, a wall around our own network, errors without secrets.

`client` drives on the loop of `background`, `trip` is one exchange under way, `hops` decides where it may go, `address`
is the wall, `dial` opens connections through it, `body` decodes, `explain` says what went wrong.
"""

from listener.http.address import guard
from listener.http.client import AiohttpClient
from listener.http.hops import redact

__all__ = ["AiohttpClient", "guard", "redact"]
