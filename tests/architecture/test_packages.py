"""Our six packages have plain names: each must resolve here, and nothing else may claim it."""

import importlib
import importlib.metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("schemas", "processors", "infra", "notifiers", "streams", "console")


@pytest.mark.parametrize("name", PACKAGES)
def test_package_resolves_inside_this_checkout(name: str) -> None:
    """An installed package of the same name (PyPI has a ``notifiers``) would win silently."""
    module = importlib.import_module(name)
    assert ROOT / name / "__init__.py" == Path(str(module.__file__)).resolve()


@pytest.mark.parametrize("name", PACKAGES)
def test_no_other_distribution_claims_the_name(name: str) -> None:
    """Only the distribution ``cobranza`` provides the package."""
    claimed = {owner.lower() for owner in importlib.metadata.packages_distributions().get(name, [])}
    assert claimed <= {"cobranza"}, f"{name} is also provided by {claimed}"


def test_core_does_not_read_the_clock() -> None:
    """Time is data (R26): no ``now()``, ``today()`` or random ids in schemas and processors."""
    banned = ("datetime.now", "utcnow", "date.today", "uuid4", "uuid1", "random.")
    found = [
        f"{path.relative_to(ROOT)}: {word}"
        for folder in ("schemas", "processors")
        for path in sorted((ROOT / folder).rglob("*.py"))
        for word in banned
        if word in path.read_text()
    ]
    assert found == []
