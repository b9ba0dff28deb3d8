"""Sentiment models behind `decide.judge.SentimentModel`: what reads which language, and how."""
