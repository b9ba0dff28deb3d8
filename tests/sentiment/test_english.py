"""Which texts in Latin letters are taken for English."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listener.sentiment.english import plausibly_english


@pytest.mark.parametrize(
    "text",
    [
        "Still waiting for my refund, three weeks now",
        "this app keeps crashing",
        "worst airline ever",
        "@haneulair where is my bag?",
        "Worst. Flight. Ever!",
        "I don’t get it",
        "Booking cancelled, luggage delayed, seats missing",
        "Haneul Air",
        "👎👎👎",
        "",
        "the café on board was great, très chic",
    ],
)
def test_english_and_what_is_too_short_to_tell(text: str) -> None:
    assert plausibly_english(text)


@pytest.mark.parametrize(
    "text",
    [
        "No funciona la aplicación desde ayer",
        "llevo tres horas esperando el avion",
        "Toujours pas de remboursement après trois semaines",
        "Die App stürzt ständig ab und niemand hilft",
        "esse aplicativo não abre mais",
        "sono tre settimane che aspetto il rimborso",
        "deze app werkt niet meer",
        "Pesawat delay lima jam tidak ada kabar",
        "yeh app bahut kharab hai",
        "pls hilfe, wo ist mein Koffer?",
        "Kundendienst reagiert niemals, Koffer verschwunden, Geld futsch",
    ],
)
def test_other_languages_are_not_read(text: str) -> None:
    assert not plausibly_english(text)


def test_handles_links_and_hashtags_say_nothing() -> None:
    assert plausibly_english("@die_der_das #und https://ich.example/nicht ok")


@given(st.text())
def test_any_text_has_an_answer(text: str) -> None:
    assert plausibly_english(text) in (True, False)
