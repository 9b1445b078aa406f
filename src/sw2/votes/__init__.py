"""What several annotators say of the same examples: how far they agree, and what follows."""

from sw2.votes.report import agreement_of, annotators, needing_votes, votes_on
from sw2.votes.tables import RULES, Cast, Decision, Vote, cast, recount, rule_of, set_rule, withdraw
from sw2.votes.tally import Rule, Tally, ballots, tally

__all__ = [
    "RULES",
    "Cast",
    "Decision",
    "Rule",
    "Tally",
    "Vote",
    "agreement_of",
    "annotators",
    "ballots",
    "cast",
    "needing_votes",
    "recount",
    "rule_of",
    "set_rule",
    "tally",
    "votes_on",
    "withdraw",
]
