"""Feeds: bytes that came from the internet to raw items.

`decode` finds the encoding, `outline` cuts the text into items and refuses what is no feed, `repair` makes each item small
and well-formed, `entries` hands it to feedparser, `jsonfeed` reads JSON Feed, `polling` is the conversation with a server
that every connector for a feed has. Nothing is imported here: whoever only checks an address needs no parser.
"""
