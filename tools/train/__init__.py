"""Training of the shipped models: from labelled posts to weights files and their cards."""
