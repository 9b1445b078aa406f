"""What a build's signals say about the data: findings, neighbours, comparisons. numpy only."""

from sw2.insight.compare import Comparison, compare, labels_now, paired_interval
from sw2.insight.findings import Finding, findings
from sw2.insight.nearest import neighbours, votes
from sw2.insight.suspicion import Suspicion, suspects, suspicion_of

__all__ = [
    "Comparison",
    "Finding",
    "Suspicion",
    "compare",
    "findings",
    "labels_now",
    "neighbours",
    "paired_interval",
    "suspects",
    "suspicion_of",
    "votes",
]
