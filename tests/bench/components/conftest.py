"""What the tests of components share: a small bundle, and what holds of all their rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from rap_edge.benchmarks.report.record import Result
    from rap_edge.bundle import Bundle

Check = Callable[..., None]


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """The default bundle, of which only onnxruntime's variants."""
    from rap_edge.bundle import extract_bundle, open_bundle

    out = tmp_path_factory.mktemp("small") / "bundle"
    extract_bundle(open_bundle(), out, ["onnxruntime/int8", "onnxruntime/fp32"])
    return open_bundle(out)


@pytest.fixture(scope="session")
def check() -> Check:
    """Assert that every value has a unit, and every row says something, or why it cannot."""
    from rap_edge.benchmarks.report.quantities import quantity_of

    def of(results: list[Result], component: str) -> None:
        assert results
        for result in results:
            assert result.scenario == f"component.{component}"
            assert result.values or result.missing
            for name in (*result.values, *result.missing):
                quantity_of(name)

    return of
