"""rules.yaml: from its text to a `Policy`, with every problem's line and column. The core never sees YAML or pydantic."""
