"""One spelling for the links that lead to one page.

A canonical URL is what we show and open, so it only loses what leads nowhere else: tracking parameters, the wrapping of
search results, spellings that the standard calls equal (RFC 3986, section 6.2). Mobile and AMP variants are unified only
where we know the site. Parameters keep their order: some sites read them by place.
"""

import re
from collections.abc import Callable
from urllib.parse import parse_qs, quote, urlsplit

__all__ = ["address", "canonical_url", "host_of"]

_MAX_URL = 2_048
_MAX_HOST = 253
_MAX_UNWRAPS = 3


def canonical_url(url: str) -> str | None:
    """The canonical form of `url`, or `None` if it is not a link that people may be shown.

    Only http and https, with a host that has an ASCII (punycode) form, at most 2,048 characters. User and password, which
    only make `bank.example@evil.example` look like another place, are left out.
    """
    for _ in range(_MAX_UNWRAPS):
        parts = _split(url)
        if parts is None:
            return None
        target = _wrapped(*parts)
        if target is None:
            return _join(*_known_site(*parts))
        url = target
    return None


def host_of(url: str | None) -> str:
    """The host of a canonical URL, without a port; "" if there is none."""
    if not url:
        return ""
    return url.partition("://")[2].partition("/")[0].partition(":")[0]


def address(url: str) -> str:
    """What of a canonical URL tells one page from another: http and https, www and none, and a last slash do not."""
    return url.partition("://")[2].removeprefix("www.").rstrip("/")


# scheme, host (with a port that is not the default), path, query, fragment
_Parts = tuple[str, str, str, str, str]


def _split(url: str) -> _Parts | None:
    url = url.strip()
    if len(url) > _MAX_URL or _FORBIDDEN(url):
        return None
    try:
        split = urlsplit(url)
        port = split.port
    except ValueError:
        return None
    scheme = split.scheme.lower()
    if scheme not in _DEFAULT_PORTS:
        return None
    host = _host(split.hostname or "")
    if not host:
        return None
    if port is not None and port != _DEFAULT_PORTS[scheme]:
        host = f"{host}:{port}"
    return scheme, host, _path(split.path), _query(host, split.query), _fragment(split.fragment)


def _host(name: str) -> str | None:
    """The ASCII form of a host name. Python's codec knows IDNA 2003; a name that only IDNA 2008 knows is refused."""
    name = name.rstrip(".")
    if ":" in name:
        return f"[{name}]" if _IPV6(name) else None
    if len(name) > _MAX_HOST:
        return None
    try:
        ascii_name = name if name.isascii() else name.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return None
    return ascii_name if _HOST_NAME(ascii_name) else None


def _path(path: str) -> str:
    kept: list[str] = []
    segments = _escape(path).split("/")[1:]
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if segments and segments[-1] in (".", ".."):
        kept.append("")
    return _AMP_PATH.sub(r"\1\2", "/" + "/".join(kept))


def _query(host: str, query: str) -> str:
    site = next((names for ending, names in _SITE_TRACKING.items() if _is_site(host, ending)), frozenset())
    parameters = (_escape(part) for part in query.split("&") if part)
    return "&".join(part for part in parameters if not _is_tracking(part, site))


def _is_tracking(parameter: str, site: frozenset[str]) -> bool:
    name = parameter.partition("=")[0].lower()
    return name.startswith("utm_") or name in _TRACKING or name in site or parameter.lower() in _AMP


def _fragment(fragment: str) -> str:
    """A fragment often is all that tells one comment from the next, so only empty and tracking ones go."""
    kept = _escape(fragment.partition(":~:")[0])
    return "" if _TRACKING_FRAGMENT(kept) else kept


def _escape(text: str) -> str:
    """Percent-encoding in one spelling: upper-case hexadecimal, nothing encoded that need not be."""
    if _UNESCAPED(text):
        return text
    decoded = _ENCODED.sub(_decode_unreserved, text)
    return quote(decoded, safe="%/:?#[]@!$&'()*+,;=~")


def _decode_unreserved(encoded: re.Match[str]) -> str:
    char = chr(int(encoded.group(1), 16))
    return char if _UNRESERVED(char) else encoded.group().upper()


def _join(scheme: str, host: str, path: str, query: str, fragment: str) -> str | None:
    url = f"{scheme}://{host}{path}" + (f"?{query}" if query else "") + (f"#{fragment}" if fragment else "")
    return url if len(url) <= _MAX_URL else None


def _wrapped(_scheme: str, host: str, path: str, query: str, _fragment: str) -> str | None:
    """What a link of a search engine leads to: google.com/url?url=..., google.com/amp/s/host/path."""
    if not _GOOGLE(host):
        return None
    if path.startswith("/amp/s/"):
        return "https://" + path.removeprefix("/amp/s/") + (f"?{query}" if query else "")
    if path != "/url":
        return None
    raw = _RAW_TARGET(query)
    if raw:  # Google Alerts does not always encode the target, so its own parameters come before "&ct="
        return raw.group(1)
    fields = parse_qs(query)
    target = (fields.get("url") or fields.get("q") or [""])[0]
    return target if target.lower().startswith(("http://", "https://")) else None


def _known_site(scheme: str, host: str, path: str, query: str, fragment: str) -> _Parts:
    host = _SAME_HOST.get(host) or _MOBILE_WIKI.sub(r"\1.", host)
    parts = (scheme, host, path, query, fragment)
    rewrite = _REWRITES.get(host)
    return rewrite(parts) if rewrite else parts


def _naver_blog(parts: _Parts) -> _Parts:
    """blog.naver.com/PostView.naver?blogId=x&logNo=1 and blog.naver.com/x?Redirect=Log&logNo=1 are blog.naver.com/x/1."""
    _, host, path, query, fragment = parts
    fields = {name.lower(): values[0] for name, values in parse_qs(query).items()}
    blog = fields.get("blogid") if path.lower().startswith("/postview.") else path.strip("/")
    post = fields.get("logno", "")
    if blog and "/" not in blog and post.isdecimal():
        return "https", host, f"/{_escape(blog)}/{post}", "", fragment
    if _NAVER_POST(path):
        return "https", host, path.rstrip("/"), "", fragment
    return parts


def _short_youtube(parts: _Parts) -> _Parts:
    """youtu.be/ID is www.youtube.com/watch?v=ID."""
    _, _, path, query, fragment = parts
    if not _YOUTUBE_ID(path):
        return parts
    return "https", "www.youtube.com", "/watch", f"v={path[1:]}" + (f"&{query}" if query else ""), fragment


def _is_site(host: str, ending: str) -> bool:
    return host == ending or host.endswith("." + ending)


_DEFAULT_PORTS = {"http": 80, "https": 443}
_FORBIDDEN = re.compile("[\x00-\x1f\x7f\\\\\ud800-\udfff]").search
_HOST_NAME = re.compile(r"[a-z0-9_](?:[a-z0-9._-]*[a-z0-9_])?").fullmatch
_IPV6 = re.compile("[0-9a-f:.]+").fullmatch
_UNESCAPED = re.compile(r"[A-Za-z0-9._~/:?@!$&'()*+,;=-]*").fullmatch
_UNRESERVED = re.compile("[A-Za-z0-9._~-]").fullmatch
_ENCODED = re.compile("%([0-9A-Fa-f]{2})")

_GOOGLE = re.compile(r"(?:www\.)?google(?:\.com?)?\.[a-z]{2,3}").fullmatch
_RAW_TARGET = re.compile(r"(?:^|&)url=(https?://.+?)(?:&ct=|$)").search

_AMP = {"amp", "amp=", "amp=1", "amp=true", "outputtype=amp"}
_AMP_PATH = re.compile(r"^(/.+?)(?:/amp)+(/?)$", re.IGNORECASE)

# Parameters by which advertisers and networks follow people; no page depends on them.
_TRACKING_NAMES = """
fbclid gclid gclsrc dclid gbraid wbraid msclkid twclid ttclid li_fat_id yclid igshid igsh mc_cid mc_eid _ga _gl
_hsenc _hsmi __hssc __hstc __hsfp hsctatracking mkt_tok oly_anon_id oly_enc_id vero_id vero_conv wickedid s_cid s_kwcid
ref_src ref_url __twitter_impression guccounter guce_referrer guce_referrer_sig
napm n_media n_query n_rank n_ad n_ad_group n_keyword n_keyword_id n_campaign_type
"""
_TRACKING = frozenset(_TRACKING_NAMES.split())
_YOUTUBE = frozenset({"si", "feature", "pp", "ab_channel"})
_SITE_TRACKING = {
    "youtube.com": _YOUTUBE,
    "youtu.be": _YOUTUBE,
    "x.com": frozenset({"s", "t"}),
    "twitter.com": frozenset({"s", "t"}),
    "reddit.com": frozenset({"share_id", "rdt", "ref", "ref_source"}),
}
_TRACKING_FRAGMENT = re.compile("(?:utm_|xtor=|echobox=|at_medium=|amp_tf=|aoh=).*", re.IGNORECASE).match

_SAME_HOST = {
    "m.blog.naver.com": "blog.naver.com",
    "m.cafe.naver.com": "cafe.naver.com",
    "m.news.naver.com": "n.news.naver.com",
    "m.youtube.com": "www.youtube.com",
    "youtube.com": "www.youtube.com",
    "mobile.twitter.com": "x.com",
    "m.twitter.com": "x.com",
    "twitter.com": "x.com",
    "www.twitter.com": "x.com",
    "www.x.com": "x.com",
    "m.facebook.com": "www.facebook.com",
    "facebook.com": "www.facebook.com",
    "old.reddit.com": "www.reddit.com",
    "np.reddit.com": "www.reddit.com",
    "reddit.com": "www.reddit.com",
    "m.clien.net": "www.clien.net",
}
_MOBILE_WIKI = re.compile(r"^([a-z-]+)\.m\.(?=wik(?:ipedia|tionary)\.org$)")
_YOUTUBE_ID = re.compile(r"/[\w-]+").fullmatch
_NAVER_POST = re.compile(r"/[\w-]+/\d+/?").fullmatch

_REWRITES: dict[str, Callable[[_Parts], _Parts]] = {"blog.naver.com": _naver_blog, "youtu.be": _short_youtube}
