"""A network of machines that are network namespaces of this one. Takes root, and `ip` of iproute2."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Self

_NAME = f"kiln{os.getpid() % 1_000_000}"  # names of interfaces have at most 15 characters
_NET = "10.211.33"


@dataclass
class Network:
    """A switch that this machine is plugged into at `address`, and others by name."""

    address: str = f"{_NET}.1"
    _machines: dict[str, int] = field(default_factory=dict)

    @classmethod
    @contextmanager
    def made(cls) -> Iterator[Self]:
        """While it is there; its machines go with it."""
        network = cls()
        _ip("link", "add", _NAME, "type", "bridge")
        try:
            _ip("address", "add", f"{network.address}/24", "dev", _NAME)
            _ip("link", "set", _NAME, "up")
            yield network
        finally:
            for name in network._machines:
                _ip("netns", "delete", _space(name))
            _ip("link", "delete", _NAME)

    def plug_in(self, name: str) -> str:
        """A new machine of this name, with no other way to anywhere; its address."""
        self._machines[name] = number = 10 + len(self._machines)
        space, cable = _space(name), self._cable(name)
        _ip("netns", "add", space)
        _ip("link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", space)
        _ip("link", "set", cable, "master", _NAME, "up")
        address = f"{_NET}.{number}"
        _ip("-n", space, "address", "add", f"{address}/24", "dev", "eth0")
        for interface in ("lo", "eth0"):
            _ip("-n", space, "link", "set", interface, "up")
        return address

    def cut(self, name: str) -> None:
        """Pull its cable out: nothing arrives, and nobody is told."""
        _ip("link", "set", self._cable(name), "down")

    def mend(self, name: str) -> None:
        """Put it in again."""
        _ip("link", "set", self._cable(name), "up")

    def on(self, name: str) -> list[str]:
        """What a command on this machine begins with."""
        return ["ip", "netns", "exec", _space(name)]

    def _cable(self, name: str) -> str:
        return f"{_NAME}-{self._machines[name]}"


def can_be_made() -> bool:
    """Whether this machine lets us."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        return False
    probe = ["ip", "link", "add", _NAME, "type", "bridge"]
    if subprocess.run(probe, capture_output=True, check=False).returncode != 0:
        return False
    _ip("link", "delete", _NAME)
    return True


def _space(name: str) -> str:
    return f"{_NAME}-{name}"


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True)
