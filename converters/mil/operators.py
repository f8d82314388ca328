"""The operators of MIL that our graphs may use, each with its rule: the table is the allow-list."""

from __future__ import annotations

from rap_edge.converters.mil import compressed, elementwise, layers, pictures, shapes
from rap_edge.converters.mil.rule import Rule
from rap_edge.errors import NotSupported

OPERATORS: dict[str, Rule] = {
    **elementwise.RULES,
    **shapes.RULES,
    **layers.RULES,
    **pictures.RULES,
    **compressed.RULES,
}


def rule_of(operator: str, node: str) -> Rule:
    """Return the rule of an operator; raise NotSupported that names it and the node."""
    if operator not in OPERATORS:
        raise NotSupported(
            f"node {node!r} is a {operator!r} - expected an operator of "
            "rap_edge.converters.mil.operators - write the module with those, or add a rule"
        )
    return OPERATORS[operator]
