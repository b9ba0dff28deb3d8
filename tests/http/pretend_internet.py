"""An internet on one machine: names with public addresses, all of which lead to one loopback server."""

import socket
from collections.abc import Sequence
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

PUBLIC = "93.184.216.34"


class FakeResolver(AbstractResolver):
    """Answers from a table, with the next entry of a name's list at each question; everything else does not exist."""

    def __init__(self, names: dict[str, Sequence[Sequence[str]]] | None = None) -> None:
        self.names = {name: list(answers) for name, answers in (names or {}).items()}
        self.asked: list[str] = []
        self.closed = False

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        self.asked.append(host)
        if host not in self.names:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        answers = self.names[host]
        addresses = answers.pop(0) if len(answers) > 1 else answers[0]
        return [
            ResolveResult(hostname=host, host=address, port=port, family=int(family), proto=0, flags=0)
            for address in addresses
        ]

    async def close(self) -> None:
        self.closed = True


class PretendInternet:
    """Opens sockets that note where they were sent (`dialled`) and go to the server's port on loopback instead.

    `broken` maps an address to the errno with which a connection to it fails.
    """

    def __init__(self, port: int) -> None:
        self.port = port
        self.dialled: list[str] = []
        self.broken: dict[str, int] = {}

    def open_socket(self, family: int, kind: int, proto: int) -> socket.socket:
        """Stands in for `listener.http.dial.open_socket`."""
        internet = self

        class Rerouted(socket.socket):
            def connect(self, address: Any) -> None:
                internet.dialled.append(address[0])
                if address[0] in internet.broken:
                    raise OSError(internet.broken[address[0]], "broken")
                super().connect(("127.0.0.1", internet.port))

        return Rerouted(socket.AF_INET, kind, proto)
