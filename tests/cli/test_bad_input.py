"""What goes wrong is one line, leaves nothing behind, and is never a traceback: specs and paths."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from support.kinds import Command, Files, Refuses

MODEL = '"model": {"builder": "deep_mlp"}'
DATA = '"dataset": {"name": "digits"}'
WHOLE = f"{{{MODEL}, {DATA}}}"
RUN = ["run", "my.json"]
RUN_DIGITS = ["run", "deep_mlp", "--data", "digits"]


def with_keys(keys: str) -> Files:
    """Return a file my.json that is a good spec but for some more keys."""
    return {"my.json": f"{{{MODEL}, {DATA}, {keys}}}"}


def with_space(space: str) -> Files:
    """Return a file my.json that is a good spec but for the space of its search."""
    return {"my.json": f'{{"extends": "deep_mlp", "tune": {{"space": {{{space}}}}}}}'}


# Name, content of my.json (and of other files), what the error says.
SPECS: list[tuple[str, Files, str]] = [
    ("unknown key", with_keys('"colour": 1'),
     "my.json: colour: unknown key. Known: name, description, model"),
    ("misspelt key", {"my.json": '{"model": {"builder": "deep_mlp", "hidden_unitz": [3]}}'},
     "my.json: model.hidden_unitz: unknown key. Did you mean 'hidden_units'?"),
    ("misspelt section", with_keys('"optimiser": {}'),
     "my.json: optimiser: unknown key. Did you mean 'optimizer'?"),
    ("text for a number", with_keys('"seed": "seven"'),
     'my.json: seed: received "seven"; expected a valid integer'),
    ("fraction for a whole number", with_keys('"fit": {"epochs": 1.5}'),
     "my.json: fit.epochs: received 1.5; expected a valid integer"),
    ("boolean for a number", with_keys('"fit": {"epochs": true}'),
     "my.json: fit.epochs: received true; expected a valid integer"),
    ("number for a section", with_keys('"fit": 3'),
     "my.json: fit: received 3; expected an object"),
    ("out of range", with_keys('"fit": {"epochs": 0}'),
     "my.json: fit.epochs: received 0; expected a number greater than or equal to 1"),
    ("nothing in a text", {"my.json": f'{{{MODEL}, "dataset": {{"name": ""}}}}'},
     'my.json: dataset.name: received ""; expected at least 1 character'),
    ("not a number", with_keys('"seed": NaN'), "my.json: received NaN; expected a finite number"),
    ("beyond all numbers", with_keys('"optimizer": {"name": "sgd", "learning_rate": 1e999}'),
     "my.json: received 1e999; expected a finite number"),
    ("a number without end", with_keys(f'"seed": {"9" * 5000}'),
     "my.json: received a number of 5000 digits; expected at most 20"),
    ("key given twice", with_keys('"seed": 1, "seed": 2'),
     'my.json: key "seed" appears twice in one object; keep one'),
    ("cut off", {"my.json": WHOLE[:-1]}, "my.json: not JSON: Expecting ',' delimiter at line 1"),
    ("empty file", {"my.json": ""}, "my.json: is empty; expected a spec, such as `kzoo init"),
    ("no object", {"my.json": "[1]"}, "my.json: received [1]; expected an object, {...}"),
    ("UTF-16", {"my.json": WHOLE.encode("utf-16")}, "my.json: encoded as UTF-16 or UTF-32; expect"),
    ("Latin-1", {"my.json": '{"description": "é"}'.encode("latin-1")},
     "my.json: not UTF-8 at byte 17; save it as UTF-8"),
    ("binary", {"my.json": bytes(range(128, 256))}, "my.json: not UTF-8 at byte 0"),
    ("half a surrogate pair", with_keys(r'"description": "\ud800"'),
     "my.json: holds half a surrogate pair, which is no text"),
    ("a folder", {"my.json": None}, "my.json: is a folder; expected a JSON file, or a name of"),
    ("a missing file", {}, "my.json: no such file; expected a JSON file, or a name of `kzoo list`"),
    ("nested too deep", with_keys('"tune": ' + '{"a": ' * 50 + "1" + "}" * 50),
     "my.json: nested more than 32 levels deep"),
    ("nested without end", {"my.json": "[" * 100_000}, "my.json: nested more than 32 levels deep"),
    ("huge", {"my.json": " " * (2 << 20)}, "my.json: larger than 1 MiB; expected a spec"),
    ("no model", {"my.json": f"{{{DATA}}}"}, "my.json: model: is missing"),
    ("no dataset", {"my.json": f"{{{MODEL}}}"}, "my.json: dataset: is missing"),
    ("unknown builder", {"my.json": f'{{"model": {{"builder": "transformer"}}, {DATA}}}'},
     "my.json: model.builder: unknown builder 'transformer'. Known: deep_mlp"),
    ("misspelt builder", {"my.json": f'{{"model": {{"builder": "deep_mpl"}}, {DATA}}}'},
     "my.json: model.builder: unknown builder 'deep_mpl'. Did you mean 'deep_mlp'?"),
    ("misspelt optimizer", with_keys('"optimizer": {"name": "adma"}'),
     """my.json: optimizer: received name "adma"; expected 'sgd', 'adam', 'adamw', 'rmsprop'. """
     "Did you mean 'adam'?"),
    ("nameless optimizer", with_keys('"optimizer": {"learning_rate": 1}'),
     "my.json: optimizer: 'name' is missing"),
    ("falling boundaries", with_keys('"optimizer": {"name": "sgd", "schedule": {"name": '
     '"piecewise", "boundaries": [2, 1], "factors": [1, 1]}}'),
     "my.json: optimizer.schedule: received boundaries [2.0, 1.0]; expected rising epochs"),
    ("extends itself", {"my.json": '{"extends": "my.json"}'},
     "my.json: extends: a chain of more than 16; does a spec extend itself?"),
    ("extends what is missing", {"my.json": '{"extends": "your.json"}'},
     "your.json: no such file"),
    ("extends a misspelt name", {"my.json": '{"extends": "deep_mpl"}'},
     "my.json: extends: unknown spec 'deep_mpl'. Did you mean 'deep_mlp'?"),
    ("extends another folder", {"my.json": '{"extends": "../your.json"}'},
     'my.json: extends: received "../your.json"; expected the name of a spec, or of a file in'),
    ("searches nothing", with_space(""), "my.json: tune.space: received {}; expected at least 1"),
    ("searches an unknown key", with_space('"model.unitz": {"type": "boolean"}'),
     "my.json: tune.space.model.unitz: cannot be true: model.unitz: unknown key"),
    ("searches an empty range", with_space('"seed": {"type": "int", "min": 9, "max": 4}'),
     "my.json: tune.space.seed: received min 9 and max 4; expected min below max"),
    ("searches out of range", with_space('"fit.epochs": {"type": "int", "min": 0, "max": 4}'),
     "my.json: tune.space.fit.epochs: cannot be 0: fit.epochs: received 0; expected a number"),
    ("stops early without validation",
     {"my.json": f'{{{MODEL}, "dataset": {{"name": "digits", "validation_size": 0}}, '
      '"fit": {"early_stopping": {}}}'},
     "my.json: fit.early_stopping needs validation images; received dataset.validation_size 0"),
    ("weighs an unknown class", with_keys('"fit": {"class_weight": {"eleven": 2}}'),
     "fit.class_weight: unknown class 'eleven'; expected 0, 1, 2, 3, 4, 5, 6, 7, 8, 9."),
    ("a name that leaves the folder", with_keys('"name": "../my"'),
     """my.json: name: received "../my"; expected letters, digits and inner '.', '_', '-'"""),
    ("a key with a line end and an escape", with_keys(r'"a\nb\u001b[31m": 1'),
     r"my.json: a\nb\x1b[31m: unknown key."),
]  # fmt: skip

# The overrides, what the error says.
OVERRIDES: list[tuple[list[str], str]] = [
    (["fit.epochs"], "fit.epochs: expected path=value, as in fit.epochs=3"),
    (["=3"], "=3: expected path=value"),
    (["fit.epochs="], 'fit.epochs: received ""; expected a valid integer'),
    (["seed=1", "seed=2"], "seed: is given twice; keep one"),
    (["optimizer=sgd", "optimizer.name=adam"], "optimizer.name: is given twice; keep one"),
    (["nothing.at.all=3"], "nothing: unknown key. Known: name, description"),
    (["fit.epochz=3"], "fit.epochz: unknown key. Did you mean 'epochs'?"),
    (["fit.epochs.deep=3"], "fit.epochs.deep: 15 has no key 'deep'"),
    (["model.hidden_units.7=3"], "model.hidden_units.7: received '7' for an element of a list of 2"
     "; expected * or a number from 0 to 1"),
    (["model.hidden_units=many"], 'model.hidden_units.0: received "many"; expected a valid int'),
    (["model.hidden_units=-3"], "model.hidden_units.0: received -3; expected a number greater"),
    (["fit.epochs=nan"], "fit.epochs: received nan; expected a finite number"),
    (["fit.epochs=1e999"], "fit.epochs: received 1e999; expected a finite number"),
    (["fit.restore_best_weights=True"], "received True. Did you mean 'true'?"),
    (["optimizer=adma"], "optimizer: received name \"adma\"; expected 'sgd', 'adam'"),
    (["optimizer.schedule=cosin"], "optimizer.schedule: received name \"cosin\"; expected "),
    (["model=deep_mpl"], "model.builder: unknown builder 'deep_mpl'. Did you mean 'deep_mlp'?"),
    (["seed=-1"], "seed: received -1; expected a number greater than or equal to 0"),
]  # fmt: skip

# Name, the files, the arguments, what the error says.
PATHS: list[tuple[str, Files, list[str], str]] = [
    ("run a misspelt name", {}, ["run", "deep_mpl"],
     "unknown spec 'deep_mpl'. Did you mean 'deep_mlp'?"),
    ("run an unknown name", {}, ["run", "transformer"],
     "unknown spec 'transformer'. Known: deep_mlp"),
    ("run no name", {}, ["run", ""], "unknown spec ''. Known: deep_mlp"),
    ("a name too long for a file", {}, ["run", "x" * 5000], "cannot be read: File name too long"),
    ("a name with a line end", {}, ["run", "a\nb.json"], r"a\nb.json: no such file"),
    ("runs is a file", {"runs": "mine"}, RUN_DIGITS, "cannot be made: Not a directory; choose a"),
    ("--out is a file", {"out": "mine"}, [*RUN_DIGITS, "--out", "out"],
     "cannot be made: Not a directory; choose a folder with --out"),
    ("--out is below a file", {"out": "mine"}, [*RUN_DIGITS, "--out", "out/there"],
     "cannot be made: Not a directory; choose a folder with --out"),
    ("init over a file", {"my.json": "mine"}, ["init", "deep_mlp", "my.json"],
     "my.json: exists already; give another FILE"),
    ("init over a folder", {"my.json": None}, ["init", "deep_mlp", "my.json"],
     "my.json: exists already; give another FILE"),
    ("init where no folder is", {}, ["init", "deep_mlp", "none/my.json"],
     "none/my.json: cannot be written: No such file or directory"),
    ("init where the schema goes", {}, ["init", "deep_mlp", "spec.schema.json"],
     "spec.schema.json: is where the schema goes; give another FILE"),
    ("init a misspelt name", {}, ["init", "deep_mpl"], "Did you mean 'deep_mlp'?"),
    ("show a misspelt name", {}, ["show", "deep_mpl"], "Did you mean 'deep_mlp'?"),
    ("validate what is missing", {}, ["validate", "my.json"], "my.json: no such file"),
    ("validate what is damaged", {"my.json": "{"}, ["validate", "my.json"], "my.json: not JSON"),
    ("layers of missing data", {}, ["show", "deep_mlp", "--layers", "--data", "none.npz"],
     "none.npz: no such file or folder; expected an .npz file"),
]  # fmt: skip


@pytest.mark.parametrize(("files", "said"), [pytest.param(*case[1:], id=case[0]) for case in SPECS])
def test_a_bad_spec_is_one_line(refuses: Refuses, files: Files, said: str) -> None:
    """It says where in which file, what was received and what is accepted."""
    refuses(files, RUN, said)


@pytest.mark.parametrize(("overrides", "said"), OVERRIDES, ids=lambda part: str(part)[:40])
def test_a_bad_override_is_one_line(refuses: Refuses, overrides: list[str], said: str) -> None:
    """It says which path, what was received and what is accepted."""
    refuses({}, [*RUN_DIGITS, *overrides], said)


@pytest.mark.parametrize(
    ("files", "arguments", "said"), [pytest.param(*case[1:], id=case[0]) for case in PATHS]
)
def test_a_bad_path_or_name_is_one_line(
    refuses: Refuses, files: Files, arguments: list[str], said: str
) -> None:
    """It says which file or name, and the nearest name there is; nothing is overwritten."""
    refuses(files, arguments, said)


@pytest.mark.parametrize(
    "arguments",
    [
        ["run"],
        ["rum", "deep_mlp"],
        ["run", "deep_mlp", "--dta", "digits"],
        ["run", "deep_mlp", "--data"],
        ["evaluate"],
        ["compare"],
        ["runs", "--sort", "beauty"],
        ["show", "deep_mlp", "small_cnn"],
    ],
    ids=" ".join,
)
def test_what_the_parser_refuses_is_no_traceback(
    kzoo_here: Command, tmp_path: Path, arguments: list[str]
) -> None:
    """A wrong command, option or number of arguments ends with status 2, and writes nothing."""
    finished = kzoo_here(*arguments)
    assert (finished.returncode, finished.stdout) == (2, "")
    assert "Error" in finished.stderr
    assert "Traceback" not in finished.stderr
    assert not any(tmp_path.iterdir())


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_folder_that_cannot_be_written_is_one_line(refuses: Refuses, tmp_path: Path) -> None:
    """A run is not begun where its folder cannot be made."""
    (tmp_path / "locked").mkdir(mode=0o500)
    arguments = [*RUN_DIGITS, "--out", "locked"]
    refuses({}, arguments, "cannot be made: Permission denied; choose a folder with --out")
