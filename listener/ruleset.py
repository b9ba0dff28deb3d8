"""A policy with everything that was built from it, and the world it acts in."""

from collections.abc import Mapping
from dataclasses import dataclass

from listener.connector import Connector
from listener.decide.judge import SentimentModel, StakesModel
from listener.decide.match import Matcher
from listener.domain.policy import Policy
from listener.notifier import Notifier
from listener.ports import Bell, Clock, Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruleset:
    """What one version of rules.yaml means and does. A reload swaps it whole; running work keeps the one it began with.

    `connectors` go by source id, `notifiers` by channel name.
    """

    policy: Policy
    matcher: Matcher
    models: tuple[SentimentModel, ...]
    connectors: Mapping[str, Connector]
    notifiers: Mapping[str, Notifier]
    stakes: tuple[StakesModel, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What the pipeline acts on: the database, the clock, and the bell that wakes a channel's delivery."""

    store: Store
    clock: Clock
    bell: Bell
