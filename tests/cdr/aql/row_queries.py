"""Generated queries that rows are likely to decide, in order or by counting."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from tests.cdr.aql.queries import (
    CLASSES,
    DIASTOLIC,
    LITERALS,
    OPERATORS,
    SYSTOLIC,
    Generated,
    Writer,
)
from tests.cdr.aql.records import DEVICE, DIAGNOSIS, ENCOUNTER, PRESSURE, TEMPERATURE

COUNTED_FROMS = (
    f"EHR e CONTAINS COMPOSITION c[{ENCOUNTER}] CONTAINS OBSERVATION o[{PRESSURE}]",
    f"EHR e CONTAINS COMPOSITION c CONTAINS OBSERVATION o[{PRESSURE}]",
    f"COMPOSITION c[{ENCOUNTER}] CONTAINS OBSERVATION o[{PRESSURE}]",
)
ROW_FROMS = (
    *COUNTED_FROMS,
    f"COMPOSITION c[{ENCOUNTER}] CONTAINS OBSERVATION o[{PRESSURE}, 'left']",
    f"EHR e CONTAINS COMPOSITION c CONTAINS (OBSERVATION o[{PRESSURE}] AND OBSERVATION p[{TEMPERATURE}])",
    f"EHR e CONTAINS COMPOSITION c CONTAINS (OBSERVATION o[{PRESSURE}] OR EVALUATION v[{DIAGNOSIS}])",
    f"COMPOSITION c CONTAINS (OBSERVATION o[{PRESSURE}] AND (EVALUATION v[{DIAGNOSIS}] OR SECTION s))",
    f"COMPOSITION c CONTAINS OBSERVATION o[{PRESSURE}] CONTAINS CLUSTER k[{DEVICE}]"
    f" CONTAINS CLUSTER m[{DEVICE}]",
    f"EHR e CONTAINS (COMPOSITION c CONTAINS OBSERVATION o[{PRESSURE}])"
    f" AND (COMPOSITION d[{ENCOUNTER}] CONTAINS EVALUATION v[{DIAGNOSIS}])",
    f"EHR e CONTAINS COMPOSITION c[{ENCOUNTER}] NOT CONTAINS OBSERVATION[{PRESSURE}]",
    f"COMPOSITION c NOT CONTAINS (OBSERVATION[{PRESSURE}] OR EVALUATION[{DIAGNOSIS}])",
    f"COMPOSITION c NOT CONTAINS (OBSERVATION[{PRESSURE}] AND EVALUATION)",
    f"EHR e NOT CONTAINS COMPOSITION CONTAINS OBSERVATION[{PRESSURE}]",
    "EHR e CONTAINS COMPOSITION c CONTAINS SECTION s CONTAINS ENTRY n",
    f"COMPOSITION c CONTAINS OBSERVATION o[{PRESSURE} and name/value='left'] CONTAINS EVENT t",
    f"VERSION w[ALL_VERSIONS] CONTAINS COMPOSITION c CONTAINS OBSERVATION o[{PRESSURE}]",
    f"COMPOSITION c CONTAINS EVALUATION v[{DIAGNOSIS}]",
)
_EVENT = "data[at0001]/events[at0006]"
_ITEMS = f"{_EVENT}/data[at0003]"
ROW_PATHS = {
    "EHR": ["ehr_id/value", "time_created/value"],
    "VERSION": ["uid/value", "commit_audit/time_committed/value"],
    "COMPOSITION": [
        *("uid/value", "name/value", "context/start_time/value", "composer/name", "archetype_node_id"),
        "archetype_details/template_id/value",
        f"content[{PRESSURE}]/{SYSTOLIC}/magnitude",
        f"content[{DIAGNOSIS}, 'left']/data[at0003]/items[at0004]/value/value",
    ],
    "OBSERVATION": [
        *[f"{SYSTOLIC}/magnitude"] * 3,
        *(f"{SYSTOLIC}/units", f"{SYSTOLIC}/value", f"{DIASTOLIC}/magnitude"),
        *(f"{DIASTOLIC}/defining_code/code_string", f"{_EVENT}/time/value", f"{_EVENT}/name/value"),
        *("name/value", "protocol[at0003]/items[at0004]/value/units"),
        "data[at0001]/events[at0006, 'left']/data[at0003]/items[at0004]/value/magnitude",
        "data[at0001]/events[at0006]/state[at0003]/items[at0005]/value/value",
        f"{_ITEMS}/items[{DEVICE}]/items[at0004]/value/value",
        f"{_ITEMS}/items[at0010]/items[at0004]/value/magnitude",
        f"{_ITEMS}/items[{DEVICE}, 'left']/items[{DEVICE}]/items[at0005]/value/units",
    ],
    "EVALUATION": [
        *("name/value", "data[at0003]/items[at0004]/value/value"),
        "data[at0003]/items[at0005]/value/magnitude",
    ],
    "CLUSTER": [
        *("name/value", "items[at0004]/value/magnitude", "items[at0005]/value/value"),
        "archetype_node_id",
    ],
    "EVENT": ["time/value", "name/value", "data[at0003]/items[at0004]/value/magnitude"],
    "SECTION": ["name/value"],
    "ENTRY": ["name/value", "data[at0001]/events[at0006]/time/value"],
}
_COUNTED = (f"o/{SYSTOLIC}/magnitude", f"o/{SYSTOLIC}/units", f"o/{DIASTOLIC}/magnitude")


def random_row_query(rng: Random) -> Generated:
    """A query that resolves."""
    roll = rng.random()
    if roll < 0.25:
        return _RowWriter(rng, rng.choice(COUNTED_FROMS)).counting()
    writer = _RowWriter(rng, rng.choice(ROW_FROMS))
    return writer.best_first() if roll < 0.55 else writer.query()


class _RowWriter(Writer):
    """Writes queries over paths with node ids only."""

    def __init__(self, rng: Random, from_clause: str) -> None:
        super().__init__(rng, from_clause)
        self.names = [name for name in self.names if f" {name}" in from_clause]

    def path(self) -> str:
        name = self.rng.choice(self.names)
        return f"{name}/{self.rng.choice(ROW_PATHS[CLASSES[name]])}"

    def whole(self) -> Sequence[str]:
        return [self.path()]

    def simple(self) -> str:
        """Often a comparison with a number, which the store can look for."""
        path = self.path()
        if path.endswith("magnitude") and self.rng.random() < 0.7:
            return f"{path} {self.rng.choice(OPERATORS)} {self.rng.choice(('0', '1', '2.5', '120', '-2'))}"
        if path.endswith("units") and self.rng.random() < 0.7:
            return f"{path} MATCHES {{'kPa', 'x'}}"
        return super().simple()

    def counting(self) -> Generated:
        """Aggregates over one leaf, perhaps with a condition on it."""
        leaf = self.rng.choice(_COUNTED)
        makers = ["COUNT({})", "COUNT(DISTINCT {})", "MIN({})", "MAX({})", "COUNT(o)", "COUNT(*)"]
        makers += ["SUM({})", "AVG({})"] if leaf.endswith("magnitude") else []
        columns = [self.rng.choice(makers).replace("{}", leaf) for _ in range(self.rng.randint(1, 3))]
        literal = self.rng.choice(("0", "1", "2.5", "120", "'kPa'", *LITERALS))
        conditions = ("", f"WHERE {leaf} {self.rng.choice(OPERATORS)} {literal}", f"WHERE NOT {leaf} > 1")
        where = self.rng.choice((*conditions, conditions[1]))
        return Generated(f"SELECT {', '.join(columns)} FROM {self.from_clause} {where}".strip())

    def best_first(self) -> Generated:
        """Ordered by a value or by time, and few rows of it."""
        paths = [self.path() for _ in range(12)]
        keys = [path for path in paths if path.endswith(("magnitude", "start_time/value"))]
        key = keys[0] if keys else self.sortable()
        where = f"WHERE {self.condition(1)} " if self.rng.random() < 0.4 else ""
        direction = self.rng.choice(("", "DESC", "DESC"))
        limit = self.rng.choice(("LIMIT 1", "LIMIT 2 OFFSET 1", "LIMIT 3"))
        head = f"SELECT {self.column()}, {key} AS k FROM {self.from_clause}"
        return Generated(f"{head} {where}ORDER BY k {direction} {limit}", (1,))
