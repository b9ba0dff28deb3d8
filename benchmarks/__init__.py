"""Speed and memory as ratios, each against a peer or a limit in the same run: `python -m benchmarks [name ...]`.

Figures of one machine say little about another; a ratio of two that were measured in turns says much. Nothing here is a
test: it prints "short" where a ratio is not what was wanted, and exits 0 all the same.
"""
