"""Annotators: vote, votes, agreement, consensus."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from sw2.cli.environment import author as author_of
from sw2.cli.examples import find_example
from sw2.cli.frame import Usage, command
from sw2.cli.terminal import Terminal, bold, count, date, dim, percent, person, plain
from sw2.errors import InvalidInput

if TYPE_CHECKING:
    from sw2.repo import Repository
    from sw2.votes import Cast, Decision
    from sw2.votes.agreement import Agreement
    from sw2.votes.report import AgreementReport, AnnotatorReport, Need

LISTED = 50  # lines; --json lists all
RULES = ("majority", "weighted", "dawid-skene", "none")
LEVELS = ("nominal", "ordinal", "interval", "ratio")
COLUMN = "Column that is voted on; else the target in sw2.toml, `label`."


@command(
    example="sw2 vote pictures/train/00017.png Coat\n"
    "sw2 vote pictures/train/00017.png Coat --as Bob --confidence 0.8\n"
    "sw2 vote pictures/train/00017.png --withdraw"
)
@click.argument("words", nargs=-1, required=True, metavar="EXAMPLE... LABEL")
@click.option("--as", "annotator", help="Whose vote, instead of the author's.")
@click.option("--confidence", type=float, help="How sure, from 0 to 1.")
@click.option("--withdraw", is_flag=True, help="Take votes back; no LABEL then.")
@click.option("--column", help=COLUMN)
def vote(
    terminal: Terminal,
    words: Sequence[str],
    annotator: str | None,
    confidence: float | None,
    withdraw: bool,
    column: str | None,
) -> None:
    """Vote for a label of examples.

    EXAMPLES are ids, or paths from here; LABEL comes last. A vote is kept beside the label, one for
    each example and annotator. Where `sw2 consensus` has set a rule, the label follows from the
    votes at once. Vote and label are one step: `sw2 undo` takes both back."""
    from sw2 import votes as voting
    from sw2.values import Origin

    given, said = (words, None) if withdraw else (words[:-1], words[-1])
    if not given:
        raise Usage("a vote needs an example and a label", hint="sw2 vote EXAMPLE LABEL")
    who = annotator or author_of()
    with terminal.repository() as repository:
        name = column or _target(repository)
        keys = list(dict.fromkeys(find_example(repository, example) for example in given))
        origin = Origin(author_of())
        if said is None:
            done = voting.withdraw(repository, [(key, who) for key in keys], origin, name)
        else:
            value = _value(repository, name, said)
            cast = [voting.Vote(key, who, value, confidence) for key in keys]
            done = voting.cast(repository, cast, origin, name)
    document = {"ids": keys, "value": said, "annotator": who, **_decided(name, done)}
    what = keys[0] if len(keys) == 1 else count(len(keys), "example")
    verb = "withdrawn" if said is None else f"vote {said}"
    line = f"{plain(verb)}: {plain(what)} {dim(f'({person(who)})')}"
    changes = _changes(name, done.decisions)
    terminal.answer(document, [line, *changes] if done.staged else ["unchanged"])


@command(example="sw2 votes pictures/train/00017.png\nsw2 votes --needing --limit 10")
@click.argument("example", required=False)
@click.option("--needing", is_flag=True, help="Examples whose label is least sure, those first.")
@click.option("--limit", type=click.IntRange(1), default=20, help="How many with --needing (20).")
@click.option("--column", help=COLUMN)
def votes(
    terminal: Terminal, example: str | None, needing: bool, limit: int, column: str | None
) -> None:
    """List votes, or the examples that need another one.

    With --needing, how sure a label is comes from all votes and from how each annotator errs (Dawid
    and Skene 1979). Examples without votes are not among them."""
    from sw2.votes import needing_votes, votes_on

    if example and needing:
        raise Usage("--needing looks at all examples", hint="Leave EXAMPLE out")
    with terminal.repository() as repository:
        name = column or _target(repository)
        if needing:
            found = needing_votes(repository, limit, name)
            terminal.answer({"column": name, "examples": found}, map(_need, found))
            return
        keys = [find_example(repository, example)] if example else None
        rows = votes_on(repository, keys)
    rows = [row for row in rows if row.get(name) is not None]
    terminal.answer({"column": name, "votes": rows}, _vote_lines(rows, name))


@command(example="sw2 agreement\nsw2 agreement --by label --pairs")
@click.option(
    "--by",
    type=click.Choice(["label", "annotator"]),
    help="Also for each label, or each annotator against the consensus.",
)
@click.option("--pairs", is_flag=True, help="Also Cohen's kappa of each two annotators.")
@click.option("--level", type=click.Choice(LEVELS), help="What distances between values mean.")
@click.option("--column", help=COLUMN)
def agreement(
    terminal: Terminal, by: str | None, pairs: bool, level: Any, column: str | None
) -> None:
    """Tell how far annotators agree beyond chance.

    1 is perfect, 0 is what chance gives; in brackets the interval that holds the figure with 95 %.
    Krippendorff's alpha is always told, Fleiss' kappa where every example has as many votes. The
    level is nominal (the same or not), and interval for numbers."""
    from sw2.votes import agreement_of, annotators

    with terminal.repository() as repository:
        name = column or _target(repository)
        report = agreement_of(repository, name, level=level, labels=by == "label", pairs=pairs)
        people = annotators(repository, name) if by == "annotator" else []
    document = {"agreement": report, "annotators": people}
    terminal.answer(document, _agreement_lines(report, people))


@command(example="sw2 consensus --rule dawid-skene\nsw2 consensus")
@click.option("--rule", type=click.Choice(RULES), help="How votes decide from now on.")
@click.option("--column", help=COLUMN)
def consensus(terminal: Terminal, rule: str | None, column: str | None) -> None:
    """Say how votes decide labels, and recount them.

    Without --rule it tells the rule that stands and changes nothing. With it, the rule is set and
    all votes are counted, as one step that `sw2 undo` takes back. A label that the votes leave open
    is emptied. Rules: majority; weighted, by agreement with the others and stated confidence;
    dawid-skene, a model of how each annotator errs; none, to leave labels as they are."""
    from sw2.values import Origin
    from sw2.votes import Cast, rule_of, set_rule

    with terminal.repository() as repository:
        name, done = column or _target(repository), Cast(False)
        if rule is not None:
            new: Any = None if rule == "none" else rule
            done = set_rule(repository, new, Origin(author_of()), name)
        else:
            repository.schema().column(name)
        stands = rule_of(repository, name)
    lines = [bold(f"{plain(name)}: {stands or 'votes do not decide it'}")]
    document = {"column": name, "rule": stands, **_decided(name, done)}
    terminal.answer(document, [*lines, *_changes(name, done.decisions)])


def _target(repository: "Repository") -> str:
    from sw2.build import read_spec

    return read_spec(repository, None).target


def _value(repository: "Repository", column: str, text: str) -> Any:
    """What was typed, as the column has it."""
    kind = repository.schema().column(column).type
    try:
        if kind == "bool":
            return {"yes": True, "true": True, "no": False, "false": False}[text.lower()]
        return {"int": int, "float": float}.get(kind, str)(text)
    except (KeyError, ValueError) as error:
        raise InvalidInput(
            f"column `{column}` holds {kind} cells, not `{text}`",
            hint="Give yes or no" if kind == "bool" else "Give a number",
        ) from error


def _decided(column: str, done: "Cast") -> dict[str, Any]:
    return {"changed": done.staged, "column": column, "decisions": done.decisions}


def _changes(column: str, decisions: "Sequence[Decision]") -> Iterator[str]:
    for one in decisions[:LISTED]:
        new = "(open)" if one.new is None else plain(one.new)
        moved = f"{plain(one.old)} -> {new}"
        yield f"{plain(one.example)}  {column}: {moved}  {dim(f'({percent(one.confidence)})')}"
    if len(decisions) > LISTED:
        yield dim(f"… {len(decisions) - LISTED:,} more")
    if len(decisions) > 1:
        yield bold(f"{count(len(decisions), 'label')} decided anew")


def _need(one: "Need") -> str:
    leading = "(open)" if one.leading is None else plain(one.leading)
    said = ", ".join(plain(value) for value in one.said)
    return f"{percent(one.probability):>7}  {plain(one.example)}  {leading}  {dim(f'({said})')}"


def _vote_lines(rows: Sequence[dict[str, Any]], column: str) -> Iterator[str]:
    for row in rows[:LISTED]:
        sure = "" if row["confidence"] is None else f"  {percent(row['confidence'])} sure"
        who = dim(f"({person(row['annotator'])}, {date(row['at'])})")
        yield f"{plain(row['example'])}  {plain(row[column])}{sure}  {who}"
    if len(rows) > LISTED:
        yield dim(f"… {len(rows) - LISTED:,} more")
    yield bold(count(len(rows), "vote"))


def _agreement_lines(
    report: "AgreementReport", people: "Sequence[AnnotatorReport]"
) -> Iterator[str]:
    yield bold(
        f"{plain(report.column)}: {count(report.votes, 'vote')} by"
        f" {count(report.annotators, 'annotator')} on {count(report.examples, 'example')}"
    )
    yield _figure(f"Krippendorff's alpha ({report.level})", report.alpha)
    if report.fleiss is not None:
        yield _figure("Fleiss' kappa", report.fleiss)
    for one in report.labels:
        yield _figure(plain(one.label), one.alpha, _share(one.share, "when one says it, others do"))
    for pair in report.pairs:
        both = f"{person(pair.first)} / {person(pair.second)}"
        yield _figure(both, pair.kappa, _share(pair.share, "alike"))
    for annotator in people:
        yield from _annotator(annotator)


def _figure(name: str, found: "Agreement", more: str = "") -> str:
    if found.value is None:
        return f"  {name:<32}  needs {found.missing}"
    between = "" if found.low is None else f"  [{found.low:.3f}, {found.high:.3f}]"
    where = dim(f"  {count(found.units, 'example')}{more}")
    return f"  {name:<32} {found.value:>6.3f}{between}{where}"


def _share(share: float | None, words: str) -> str:
    return "" if share is None else f", {percent(share)} {words}"


def _annotator(one: "AnnotatorReport") -> Iterator[str]:
    right = "nothing to compare" if one.agreement is None else percent(one.agreement)
    yield f"  {person(one.annotator):<32} {right}  {dim(count(one.votes, 'vote'))}"
    errors = [(was, said, times) for was, said, times in one.confusion if was != said]
    for was, said, times in errors[:3]:
        yield dim(f"{times:>8,}  {plain(said)} where the consensus is {plain(was)}")
