"""The page behind an alert, whatever its address looks like."""

import pytest
from pydantic import ValidationError

from connectors.google_alerts import GoogleAlerts, GoogleAlertsConfig
from listener.testing.fakes import FakeClock, FakeHttp, response

GOOGLE = "https://www.google.com/url?rct=j&sa=t&url={}&ct=ga&cd=CAEYACoTMTIzNA&usg=AOvVaw0"


def found_behind(link: str) -> str | None:
    escaped = link.replace("&", "&amp;")
    entry = f"<entry><id>tag:google.com,2013:googlealerts/feed:1</id><title>t</title><link href='{escaped}'/></entry>"
    body = f"<feed xmlns='http://www.w3.org/2005/Atom'>{entry}</feed>"
    config = GoogleAlertsConfig.model_validate({"url": "https://www.google.com/alerts/feeds/1/2"})
    connector = GoogleAlerts(config, http=FakeHttp(lambda _: response(200, body)), clock=FakeClock())
    return next(iter(connector.poll(None))).items[0].url


@pytest.mark.parametrize(
    "page",
    [
        "https://news.example/story",
        "https://news.example/story?id=7&lang=en",
        "https://news.example/a%20b?x=%26&y=1#part",
        "https://news.example/?ct=mine&cd=1&usg=2&x=1",
        "https://news.example/?url=https://other.example/&z=1",
        "https://뉴스.example/기사?쪽=1",
    ],
)
def test_an_address_that_is_not_encoded_is_kept_whole(page: str) -> None:
    assert found_behind(GOOGLE.format(page)) == page


@pytest.mark.parametrize(
    ("link", "page"),
    [
        (GOOGLE.format("https%3A%2F%2Fn.example%2F%3Fa%3D1%26b%3D2"), "https://n.example/?a=1&b=2"),
        ("https://www.google.de/url?sa=t&url=https://n.example/&ct=ga", "https://n.example/"),
        ("https://google.co.kr/url?q=https://n.example/x&sa=U&ved=0", "https://n.example/x"),
        ("https://www.google.com/url?url=https://n.example/?a=1&usg=X&cd=2", "https://n.example/?a=1"),
        ("https://news.example/url?url=https://evil.example/", "https://news.example/url?url=https://evil.example/"),
        ("https://www.google.com/search?url=x", "https://www.google.com/search?url=x"),
        ("https://www.google.com/url?sa=t", "https://www.google.com/url?sa=t"),
    ],
)
def test_other_forms_of_the_link(link: str, page: str) -> None:
    assert found_behind(link) == page


def test_the_address_of_an_alert_is_a_secret() -> None:
    config = GoogleAlertsConfig.model_validate({"url": "https://www.google.com/alerts/feeds/1/aSecret"})
    assert "aSecret" not in f"{config!r} {config}"
    with pytest.raises(ValidationError) as error:
        GoogleAlertsConfig.model_validate({"url": "aSecret"})
    assert "aSecret" not in str(error.value)
