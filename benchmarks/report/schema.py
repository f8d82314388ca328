"""The JSON schema of a benchmark file's lines, from the dataclasses; docs/benchmark.schema.json.

python -m rap_edge.benchmarks.report.schema > docs/benchmark.schema.json
"""

from __future__ import annotations

import json
from typing import Any

from rap_edge.benchmarks.report.files import PARTS
from rap_edge.benchmarks.report.record import SCHEMA_VERSION, Run
from rap_edge.json_schema import DIALECT, Definitions

KINDS = {"run": "Run", "subject": "Subject", "result": "Result"}


def line_schema() -> dict[str, Any]:
    """Return the schema of one line, JSON Schema 2020-12: a run, a subject or a result."""
    definitions = Definitions()
    definitions.of(Run)
    made = definitions.made
    run = made["Run"]
    for part, count in PARTS.items():
        del run["properties"][part]
        run["properties"][count] = {"type": "integer", "minimum": 0}
        run["required"][run["required"].index(part)] = count
    for kind, name in KINDS.items():
        line = made[name]
        head = {"schema_version": {"const": SCHEMA_VERSION}, "kind": {"const": kind}}
        line["properties"] = {**head, **line["properties"]}
        line["required"] = [*head, *line["required"]]
    return {
        "$schema": DIALECT,
        "title": f"a line of what rap-edge bench writes, version {SCHEMA_VERSION}",
        "oneOf": [{"$ref": f"#/$defs/{name}"} for name in KINDS.values()],
        "$defs": made,
    }


if __name__ == "__main__":
    print(json.dumps(line_schema(), indent=1))
