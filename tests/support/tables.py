"""Tables such as people bring, made from a seed."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

import numpy as np

_TITANIC = (
    "PassengerId", "Survived", "Pclass", "Name", "Sex", "Age", "SibSp", "Ticket", "Fare", "Cabin",
    "Embarked", "Alone",
)  # fmt: skip


def titanic(rows: int = 500, seed: int = 0) -> str:
    """Return passengers: words, quotes, missing values, booleans and row numbers."""
    draw = np.random.default_rng(seed)
    table: list[list[object]] = [[*_TITANIC]]
    for number in range(rows):
        sex = draw.choice(["male", "female"], p=[0.65, 0.35])
        rank = int(draw.choice([1, 2, 3], p=[0.24, 0.21, 0.55]))
        age = max(0.4, round(draw.normal(40 - 5 * rank, 13), 1))
        siblings = int(draw.poisson(0.5))
        harbour = draw.choice(["S", "C", "Q"], p=[0.72, 0.19, 0.09])
        odds = 3 * (sex == "female") - 1.2 * rank - 0.03 * age - 0.25 * siblings + 1.9
        table.append(
            [
                number + 1,
                int(draw.random() < 1 / (1 + np.exp(-odds))),
                rank,
                f'Doe {number}, "{"Mr" if sex == "male" else "Mrs"}." J.',
                sex,
                age if draw.random() > 0.2 else "",
                siblings,
                f"{draw.choice(['A/5 ', 'PC ', ''])}{number * 7 + 1000}",
                round(float(np.exp(draw.normal(4.6 - 0.9 * rank, 0.6))), 4),
                f"{draw.choice(list('ABC'))}{draw.integers(1, 20)}" if draw.random() < 0.2 else "",
                harbour if draw.random() > 0.01 else "",
                siblings == 0,
            ]
        )
    return _text(table)


def adult(rows: int = 500, seed: int = 0) -> str:
    """Return incomes: no header, blanks after the commas, '?' for what is missing."""
    draw = np.random.default_rng(seed)
    lines = []
    for _ in range(rows):
        age, hours = int(draw.integers(17, 80)), int(draw.integers(10, 70))
        work = draw.choice(["Private", "State-gov", "Self-emp", "?"], p=[0.7, 0.1, 0.14, 0.06])
        school = draw.choice(["Bachelors", "HS-grad", "Masters", "11th"])
        weight = int(draw.integers(20_000, 400_000))
        odds = (
            0.04 * (age - 40) + 0.05 * (hours - 40) + 2 * (school in ("Bachelors", "Masters")) - 1
        )
        income = ">50K" if draw.random() < 1 / (1 + np.exp(-odds)) else "<=50K"
        lines.append(f"{age}, {work}, {weight}, {school}, {hours}, {income}")
    return "\n".join(lines) + "\n"


def german(rows: int = 500, seed: int = 0) -> str:
    """Return measurements with decimal commas, parted by semicolons, with umlauts."""
    draw = np.random.default_rng(seed)
    lines = ["Länge;Höhe;Farbe;Güte"]
    for _ in range(rows):
        length, height = draw.normal(10, 3), draw.normal(101_325_000, 2)
        colour = draw.choice(["grün", "weiß", "rot"])
        odds = (length - 10) + (height - 101_325_000) + 2 * (colour == "rot") - 0.5
        quality = "gut" if draw.random() < 1 / (1 + np.exp(-2 * odds)) else "schlecht"
        cells = (f"{length:.3f}", f"{height:.2f}", colour, quality)
        lines.append(";".join(cell.replace(".", ",") for cell in cells))
    return "\n".join(lines) + "\n"


TABLES: dict[str, tuple[Callable[..., str], str]] = {
    "titanic": (titanic, "Survived"),
    "adult": (adult, "column6"),
    "german": (german, "Güte"),
}


def _text(table: list[list[object]]) -> str:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows(table)
    return stream.getvalue()
