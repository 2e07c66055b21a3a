"""The wheel: what it holds, and that what it holds works."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MOST_BYTES = 6_000_000


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel of this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation"]
    subprocess.run(
        [*command, "--no-index", "--quiet", "--wheel-dir", str(folder), str(ROOT)], check=True
    )
    (built,) = folder.glob("kzoo-*.whl")
    return built


def test_the_wheel_holds_the_package_the_specs_and_nothing_else(wheel: Path) -> None:
    """Types, licence and specs are shipped; tests are not."""
    names = set(zipfile.ZipFile(wheel).namelist())
    assert "kzoo/py.typed" in names
    assert any(name.endswith("LICENSE") for name in names)
    specs = {path.name for path in (ROOT / "zoo_configs").glob("*.json")}
    assert {f"kzoo/zoo_configs/{name}" for name in specs} <= names
    weights = {f"kzoo/weights/{Path(name).stem}.safetensors" for name in specs}
    assert {name for name in names if name.startswith("kzoo/weights/")} == weights
    parts = (ROOT / "kzoo" / "pages" / "demo").iterdir()
    assert {f"kzoo/pages/demo/{path.name}" for path in parts if path.is_file()} <= names
    assert "kzoo/looks/base.css" in names
    templates = (ROOT / "kzoo" / "reports" / "templates").iterdir()
    assert {f"kzoo/reports/templates/{path.name}" for path in templates} <= names
    assert {name.split("/")[0].split("-")[0] for name in names} == {"kzoo"}


def test_the_wheel_is_small(wheel: Path) -> None:
    """With the weights of the zoo it is quickly downloaded."""
    assert wheel.stat().st_size < MOST_BYTES


def test_an_installed_wheel_loads_every_spec(wheel: Path, tmp_path: Path) -> None:
    """Installed away from the checkout, each spec of the zoo is found in the package and valid."""
    target = tmp_path / "site"
    install = [sys.executable, "-m", "pip", "install", "--no-deps", "--no-index", "--quiet"]
    subprocess.run([*install, "--target", str(target), str(wheel)], check=True)
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import kzoo; from kzoo.registry import list_specs\n"
        "files, problems = list_specs(); assert not problems\n"
        "for file in files:\n"
        "    assert str(file.path).startswith(sys.argv[1]), file\n"
        "    print(kzoo.load_spec(file.name).name)\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, str(target)],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )
    assert result.stdout.split() == sorted(p.stem for p in (ROOT / "zoo_configs").glob("*.json"))
