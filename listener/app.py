"""The composition root: settings and rules become a wired application. The only file that names concrete adapters."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from listener import __version__, registry
from listener.connector import Connector, ConnectorQuery
from listener.decide.judge import SentimentModel, StakesModel
from listener.decide.match import Matcher, literals
from listener.domain.errors import ConfigError, Problem
from listener.domain.policy import ChannelSpec, Policy, SourceSpec
from listener.notifier import Notifier, Surroundings
from listener.ports import Clock, HttpClient
from listener.rules.load import Loaded, load
from listener.ruleset import Ruleset
from listener.settings import Settings

if TYPE_CHECKING:
    from listener.sentiment.embedding import Embedder
    from listener.store import SqlStore

USER_AGENT = f"listener/{__version__} (self-hosted mention monitoring)"


class SystemClock:
    """The machine's time."""

    def now(self) -> datetime:
        """Aware UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return time.monotonic()


def read_rules(path: Path) -> str:
    """The text of rules.yaml. Raises `ConfigError` if it cannot be read as text."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        problem = Problem(
            message="there is no such file", remedy="copy the shipped one: listener rules sample > rules.yaml"
        )
    except UnicodeDecodeError as error:
        problem = Problem(message=f"byte {error.start} is not UTF-8", remedy="save the file as UTF-8")
    except OSError as error:
        problem = Problem(message=f"cannot be read ({error.strerror})", remedy="check its owner and mode")
    raise ConfigError(str(path), (problem,))


def shipped(name: str) -> str:
    """A file that we ship beside the program: rules.yaml, rules.schema.json."""
    package = Path(__file__).parent
    packed = package / "shipped" / name
    return (packed if packed.exists() else package.parent / name).read_text(encoding="utf-8")


def compile_rules(text: str, *, file: str, env: Mapping[str, str]) -> Loaded:
    """rules.yaml to a policy, with the configurations of every connector and notifier that is installed."""
    return load(
        text,
        file=file,
        connectors=registry.connector_configs(),
        notifiers=registry.notifier_configs(),
        env=env,
    )


def embedder(settings: Settings, *, hurried: bool = True) -> "Embedder | None":
    """The embedding, if the extra `quality` is installed and LISTENER_EMBEDDING is not off. Nothing starts before a text."""
    from listener.sentiment.embedding import UNHURRIED, Embedder, Patience, installed

    if settings.embedding == "off" or not installed():
        return None
    return Embedder(patience=Patience() if hurried else UNHURRIED)


def judging_ruleset(policy: Policy, vectors: "Embedder | None" = None) -> Ruleset:
    """What judging needs, and nothing that could reach the network: for `triage`, `rules explain` and tests."""
    from listener.sentiment.english_model import English
    from listener.sentiment.korean import Korean
    from listener.sentiment.stakes import NgramStakes

    models: tuple[SentimentModel, ...] = (English(policy.scoring.lexicon), Korean())
    stakes: tuple[StakesModel, ...] = (NgramStakes("en"), NgramStakes("ko")) if policy.scoring.stakes_points else ()
    if vectors is not None:
        from listener.sentiment.quality import sentiment_with, stakes_with

        models, stakes = sentiment_with(models, vectors), stakes_with(stakes, vectors)
    return Ruleset(
        policy=policy,
        matcher=Matcher(policy.brands, policy.topics, policy.intents),
        models=models,
        stakes=stakes,
        connectors={},
        notifiers={},
    )


def full_ruleset(policy: Policy, *, http: HttpClient, clock: Clock, vectors: "Embedder | None" = None) -> Ruleset:
    """Everything that the daemon needs. Touches no network."""
    judging = judging_ruleset(policy, vectors)
    return Ruleset(
        policy=policy,
        matcher=judging.matcher,
        models=judging.models,
        stakes=judging.stakes,
        connectors={spec.id: build_connector(spec, policy, http=http, clock=clock) for spec in policy.sources},
        notifiers={name: build_notifier(spec, http=http, clock=clock) for name, spec in policy.channels.items()},
    )


def build_connector(spec: SourceSpec, policy: Policy, *, http: HttpClient, clock: Clock) -> Connector:
    """The source's connector, with the queries of its brands to push down (all brands if it names none)."""
    brands = [brand for brand in policy.brands if not spec.brands or brand.id in spec.brands]
    queries = tuple(ConnectorQuery(brand=brand.id, terms=literals(brand.query)) for brand in brands)
    built: Connector = registry.connectors()[spec.connector](spec.config, http=http, clock=clock, queries=queries)
    return built


def build_notifier(spec: ChannelSpec, *, http: HttpClient, clock: Clock) -> Notifier:
    """The channel's notifier."""
    built: Notifier = registry.notifiers()[spec.notifier](spec.config, Surroundings(http=http, clock=clock))
    return built


@contextmanager
def http_client() -> Iterator[HttpClient]:
    """The polite client, closed at the end."""
    from listener.http import AiohttpClient

    client = AiohttpClient(user_agent=USER_AGENT)
    try:
        yield client
    finally:
        client.close()


def open_store(settings: Settings) -> "SqlStore":
    """The database as it is; brings nothing up to date."""
    from listener.store import SqlStore

    return SqlStore(settings.database)


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """A wired application: what the daemon runs on. `environment` is read anew at each reload, as `.env` may have changed."""

    settings: Settings
    environment: Callable[[], Mapping[str, str]]
    store: "SqlStore"
    http: HttpClient
    clock: Clock
    vectors: "Embedder | None" = None

    def ruleset(self, text: str) -> tuple[Ruleset, Loaded]:
        """The text of rules.yaml as a ruleset that can be run. Raises `ConfigError`."""
        loaded = compile_rules(text, file=str(self.settings.rules), env=self.environment())
        return full_ruleset(loaded.policy, http=self.http, clock=self.clock, vectors=self.vectors), loaded
