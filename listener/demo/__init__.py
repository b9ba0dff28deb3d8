"""The demo: `listener run` with a demo rules file against a small internet on loopback. Nothing in it is staged."""

from listener.demo.stage import play

__all__ = ["play"]
