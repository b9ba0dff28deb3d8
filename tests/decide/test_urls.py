"""Links: one spelling for one page, and nothing that people should not open."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listener.decide.urls import address, canonical_url, host_of


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("HTTPS://News.Example:443", "https://news.example/"),
        ("http://news.example:80/a", "http://news.example/a"),
        ("http://news.example:8080/a", "http://news.example:8080/a"),
        ("http://news.example./a", "http://news.example/a"),
        ("http://x.example/%2e%2e/a/./b/../c", "http://x.example/a/c"),
        ("http://x.example/a/b/..", "http://x.example/a/"),
        ("http://x.example/%7euser/%e1%88%b4", "http://x.example/~user/%E1%88%B4"),
        ("http://x.example/a b?q=환불", "http://x.example/a%20b?q=%ED%99%98%EB%B6%88"),
        ("http://x.example/%zz", "http://x.example/%zz"),
        ("https://하늘항공.example/", "https://xn--ob0bx0iro8apca.example/"),
        ("http://[2001:DB8::1]:8080/x", "http://[2001:db8::1]:8080/x"),
        ("  https://x.example/a\n", "https://x.example/a"),
        ("https://bank.example@evil.example/", "https://evil.example/"),
        ("https://user:w@rd@x.example/", "https://x.example/"),
    ],
)
def test_spellings_that_the_standard_calls_equal(written: str, canonical: str) -> None:
    assert canonical_url(written) == canonical


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("https://x.example/a?utm_source=n&b=2&UTM_medium=m&a=1&fbclid=zz&gclid=1", "https://x.example/a?b=2&a=1"),
        ("https://x.example/a?&&", "https://x.example/a"),
        ("https://x.example/a?s=1&t=2", "https://x.example/a?s=1&t=2"),
        ("https://x.com/bob/status/1?s=20&t=abc", "https://x.com/bob/status/1"),
        ("https://news.example/a?NaPm=ct%3Dx", "https://news.example/a"),
        ("https://news.example/a?amp", "https://news.example/a"),
        ("https://news.example/a?outputType=amp&id=3", "https://news.example/a?id=3"),
        ("https://news.example/story/amp/", "https://news.example/story/"),
        ("https://news.example/story/amp", "https://news.example/story"),
        ("https://news.example/amp", "https://news.example/amp"),
        ("https://x.example/a#:~:text=charged%20twice", "https://x.example/a"),
        ("https://x.example/a#c7:~:text=x", "https://x.example/a#c7"),
        ("https://x.example/a#comment-42", "https://x.example/a#comment-42"),
        ("https://x.example/a#utm_source=feed", "https://x.example/a"),
        ("https://x.example/a#", "https://x.example/a"),
    ],
)
def test_what_only_follows_people_is_gone_and_what_tells_pages_apart_stays(written: str, canonical: str) -> None:
    assert canonical_url(written) == canonical


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        (
            "https://www.google.com/url?rct=j&sa=t&url=https://x.example/a?b=1&c=2&ct=ga&cd=CAE&usg=AO",
            "https://x.example/a?b=1&c=2",
        ),
        (
            "https://www.google.co.kr/url?rct=j&url=https%3A%2F%2Fx.example%2Fa%3Fb%3D1%26c%3D2&ct=ga",
            "https://x.example/a?b=1&c=2",
        ),
        ("https://www.google.de/url?q=https%3A%2F%2Fx.example%2F&sa=D", "https://x.example/"),
        ("https://google.com/amp/s/news.example/story/amp/?utm_source=x&p=1", "https://news.example/story/?p=1"),
        ("https://www.google.com/amp/s/news.example/a", "https://news.example/a"),
        ("https://www.google.com/url?sa=t", "https://www.google.com/url?sa=t"),
        ("https://www.google.com/search?q=haneul", "https://www.google.com/search?q=haneul"),
        ("https://www.google.com/url?url=javascript:alert(1)", "https://www.google.com/url?url=javascript:alert(1)"),
        (
            "https://google.evil.example/url?url=https://x.example/",
            "https://google.evil.example/url?url=https://x.example/",
        ),
    ],
)
def test_links_of_search_results_are_unwrapped(written: str, canonical: str) -> None:
    assert canonical_url(written) == canonical


@pytest.mark.parametrize(
    "written",
    [
        "https://blog.naver.com/foo/123",
        "https://m.blog.naver.com/foo/123?referrerCode=0",
        "https://blog.naver.com/foo?Redirect=Log&logNo=123&from=section",
        "http://blog.naver.com/PostView.nhn?blogId=foo&logNo=123",
        "https://m.blog.naver.com/PostView.naver?blogId=foo&logNo=123&proxyReferer=",
    ],
)
def test_the_spellings_of_a_naver_blog_post_are_one(written: str) -> None:
    assert canonical_url(written) == "https://blog.naver.com/foo/123"


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("https://blog.naver.com/foo", "https://blog.naver.com/foo"),
        ("https://blog.naver.com/foo?logNo=x", "https://blog.naver.com/foo?logNo=x"),
        ("https://youtu.be/abc?si=ff&t=3", "https://www.youtube.com/watch?v=abc&t=3"),
        ("https://youtu.be/abc?ab_channel=x", "https://www.youtube.com/watch?v=abc"),
        ("https://youtu.be/&", "https://youtu.be/&"),
        ("https://m.youtube.com/watch?v=abc&feature=share", "https://www.youtube.com/watch?v=abc"),
        ("https://old.reddit.com/r/a/1/", "https://www.reddit.com/r/a/1/"),
        ("https://mobile.twitter.com/bob/status/1", "https://x.com/bob/status/1"),
        ("https://ko.m.wikipedia.org/wiki/A", "https://ko.wikipedia.org/wiki/A"),
        ("https://m.forum.example/1", "https://m.forum.example/1"),
    ],
)
def test_mobile_and_short_forms_are_unified_only_where_the_site_is_known(written: str, canonical: str) -> None:
    assert canonical_url(written) == canonical


@pytest.mark.parametrize(
    "written",
    [
        "",
        "JaVaScRiPt:alert(1)",
        "java\nscript:alert(1)",
        "data:text/html,<script>1</script>",
        "vbscript:x",
        "blob:https://x/1",
        "file:///etc/passwd",
        "intent://x#Intent;end",
        "mailto:a@b.example",
        "//x.example/a",
        "/a/b",
        "http://",
        "http:///path",
        "https://x.example\\@evil.example/",
        "http://x.example:port/",
        "http://x.example:99999/",
        "http://[zz]/",
        "http://[::1%25eth0]/",
        "http://a..b\u3002\u3002/",
        "http://-/",
        "http://" + "a" * 300 + ".example/",
        "http://" + "é" * 250 + ".example/",
        "https://x.example/" + "a" * 2_040,
        "https://x.example/" + "환" * 1_000,
        "https://google.com/url?url=" * 4 + "https://x.example/",
    ],
)
def test_what_is_not_a_link_for_people_is_dropped(written: str) -> None:
    assert canonical_url(written) is None


URLS = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(["http://", "https://", "HTTP://", "", "https://www.google.com/url?url="]),
    st.sampled_from(
        ["x.example", "X.Example:80", "m.blog.naver.com", "youtu.be", "하늘.example", "[::1]", "en.m.wikipedia.org"]
    ),
    st.text(alphabet="/.%2eEaA?&=#:~ amp한\u200b+;@", max_size=40),
    st.sampled_from(["", "?utm_source=a&b=1", "#x", "/amp/", "?blogId=a&logNo=1", "&ct=ga"]),
)


@given(URLS)
def test_a_canonical_url_is_its_own_canonical_form(url: str) -> None:
    canonical = canonical_url(url)
    if canonical is not None:
        assert canonical_url(canonical) == canonical
        assert canonical.isascii()
        assert canonical.startswith(("http://", "https://"))
        assert len(canonical) <= 2_048


@given(st.text(max_size=60))
def test_no_text_is_too_odd_for_it(url: str) -> None:
    canonical_url(url)
    canonical_url("https://x.example/" + url)
    canonical_url("https://" + url)


def test_the_host_is_what_people_are_shown() -> None:
    assert host_of("https://x.example:8080/a") == "x.example"
    assert host_of(None) == ""


def test_an_address_is_the_page_whatever_the_scheme() -> None:
    assert address("http://www.x.example/a/") == address("https://x.example/a")
