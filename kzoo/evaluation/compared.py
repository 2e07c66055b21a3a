"""What a comparison of runs has found, and how it says so."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from kzoo.evaluation.cost import Cost
from kzoo.figures.interval import written_accuracy
from kzoo.figures.significance import LEVEL, CochranQ, McNemar
from kzoo.summary import Facts, Summarized


@dataclass(frozen=True)
class Compared:
    """One of the runs.

    Attributes:
        run: Its directory.
        label: What it is called here: spec and seed, or its directory where that is not enough.
        name: The name of its spec.
        seed: Its seed.
        dataset: What it was tested on.
        test_set: Runs with the same number here were tested on the same examples.
        examples: Test examples.
        accuracy: Fraction of them that is right.
        accuracy_interval: Wilson's 95 % interval.
        cost: What its model costs.
    """

    run: str
    label: str
    name: str
    seed: int
    dataset: str
    test_set: int
    examples: int
    accuracy: float
    accuracy_interval: tuple[float, float]
    cost: Cost


@dataclass(frozen=True)
class SpecDifference:
    """A setting that not all specs have alike.

    Attributes:
        path: Where it is in the spec.
        values: Its value in each run, in the order of the runs; None where it has none.
    """

    path: str
    values: tuple[Any, ...]


@dataclass(frozen=True)
class Pair:
    """Two runs on the same test set.

    Attributes:
        first: The label of the one.
        second: The label of the other.
        difference: The accuracy of the second less that of the first.
        test: McNemar's test.
        p: Its p-value, corrected after Holm where several pairs were tested.
        corrected: Whether it was.
        more_than_chance: Whether the difference is: `p` is below 0.05, and Cochran's Q of the runs
            on this test set, where they are more than two, is so too.
    """

    first: str
    second: str
    difference: float
    test: McNemar
    p: float
    corrected: bool
    more_than_chance: bool

    @property
    def words(self) -> str:
        """What the test says, as a sentence."""
        how = f"McNemar{', exact' if self.test.exact else ''}{', Holm' if self.corrected else ''}"
        found = f"({how}, {written_p(self.p)})"
        size = f"the difference of {abs(self.difference):.4f}"
        if self.more_than_chance:
            better, worse = self.second, self.first
            if self.difference < 0:
                better, worse = worse, better
            return f"{better} is better than {worse}: {size} is more than chance {found}."
        if self.p < LEVEL:
            return (
                f"{self.first} and {self.second}: {size} is not taken for more than chance "
                f"{found}, as Cochran's Q finds no difference among the runs."
            )
        return f"{self.first} and {self.second}: {size} may be chance {found}."


@dataclass(frozen=True)
class Together:
    """More than two runs on one test set.

    Attributes:
        labels: The runs.
        test: Cochran's Q.
        more_than_chance: Whether they differ by more than chance.
    """

    labels: tuple[str, ...]
    test: CochranQ
    more_than_chance: bool

    @property
    def words(self) -> str:
        """What the test says, as a sentence."""
        found = f"(Cochran's Q = {self.test.statistic:.1f}, {written_p(self.test.p)})"
        runs = f"the {len(self.labels)} runs"
        if self.more_than_chance:
            return f"Among {runs} there are differences that are more than chance {found}."
        return f"The differences among {runs} may be chance {found}."


@dataclass(frozen=True)
class Seeds:
    """Runs of one spec with different seeds.

    Attributes:
        name: The name of the spec.
        seeds: Their seeds.
        mean: Mean of their accuracies.
        interval: 95 % t interval of the mean, within 0 to 1; None where all are equal, as equal
            values do not show how far chance moves them.
    """

    name: str
    seeds: tuple[int, ...]
    mean: float
    interval: tuple[float, float] | None

    @property
    def words(self) -> str:
        """The mean and its interval, as a sentence."""
        listed = ", ".join(map(str, self.seeds))
        if self.interval is None:
            return (
                f"{self.name}, seeds {listed}: accuracy {self.mean:.4f} with each (no interval: "
                "equal values do not show how far chance moves them)."
            )
        low, high = self.interval
        return (
            f"{self.name}, seeds {listed}: mean accuracy {self.mean:.4f} "
            f"(95 % t interval {low:.4f} to {high:.4f})."
        )


@dataclass(frozen=True, repr=False)
class Comparison(Summarized):
    """Several runs side by side.

    Attributes:
        runs: In the order in which they were given.
        differences: The settings in which their specs differ.
        together: Of each test set of more than two runs, Cochran's test.
        pairs: McNemar's test of every two runs on the same test set.
        seeds: Mean and interval of runs that differ by the seed alone.
        notices: What the person should know.
    """

    runs: tuple[Compared, ...]
    differences: tuple[SpecDifference, ...]
    together: tuple[Together, ...]
    pairs: tuple[Pair, ...]
    seeds: tuple[Seeds, ...]
    notices: tuple[str, ...] = ()

    def _summary(self) -> tuple[str, Facts]:
        facts = [
            (
                one.label,
                f"{written_accuracy(one.accuracy, one.accuracy_interval)} on {one.examples:,} of "
                f"{one.dataset}",
            )
            for one in self.runs
        ]
        sentences = [
            *(test.words for test in self.together),
            *(pair.words for pair in self.pairs),
            *(seeds.words for seeds in self.seeds),
        ]
        facts += [("more than chance?", sentence) for sentence in sentences]
        for difference in self.differences:
            values = " / ".join("-" if v is None else str(v) for v in difference.values)
            facts.append((difference.path, values))
        facts += [("notice", notice) for notice in self.notices]
        return f"{len(self.runs)} runs", facts

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as JSON data, the sentences too."""
        tree = asdict(self)
        for key in ("together", "pairs", "seeds"):
            for part, one in zip(tree[key], getattr(self, key), strict=True):
                part["words"] = one.words
        return tree


def written_p(p: float) -> str:
    """Return a p-value in few characters: ``p = 0.36``, ``p = 3e-09``."""
    if p < 1e-99:
        return "p < 1e-99"
    return f"p = {p:.2g}" if p < 0.995 else "p = 1"
