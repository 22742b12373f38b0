"""Generated AQL queries over the archetypes of ``records``: text, so that parser and resolver take part."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from tests.cdr.aql.records import DEVICE, DIAGNOSIS, ENCOUNTER, PRESSURE, TEMPERATURE

SYSTOLIC = "data[at0001]/events[at0006]/data[at0003]/items[at0004]/value"
DIASTOLIC = "data[at0001]/events[at0006]/data[at0003]/items[at0005]/value"

# class: paths that end at values of all kinds
PATHS = {
    "EHR": ["ehr_id/value", "time_created/value", "ehr_status/is_queryable"],
    "VERSION": [
        "uid/value",
        "commit_audit/time_committed/value",
        "lifecycle_state/defining_code/code_string",
        "preceding_version_uid/value",
    ],
    "COMPOSITION": [
        "uid/value",
        "name/value",
        "context/start_time/value",
        "context/start_time",
        "archetype_details/template_id/value",
        "archetype_node_id",
        "content/name/value",
        f"content[{PRESSURE}]/data/events/time/value",
        f"content[{DIAGNOSIS}]/data/items/value/value",
    ],
    "OBSERVATION": [
        "name/value",
        "data/events/time/value",
        "data/events[at0006]/time",
        f"{SYSTOLIC}/magnitude",
        f"{SYSTOLIC}/magnitude",
        f"{SYSTOLIC}/value",
        SYSTOLIC,
        f"{DIASTOLIC}/magnitude",
        f"{DIASTOLIC}/units",
        "data[at0001]/events[at0006]/data[at0003]/items[at0004, 'left']/value/value",
        "data[at0001]/events[at0006]/data[at0003]/items[at0004, at0021]/value/magnitude",
        "data[at0001]/events[at0006 and name/value='Any event']/data/items/name/value",
        "data[at0001]/events[time/value >= '2020-01-15']/data/items/value",
        "data/events/data/items[value/magnitude > 1]/value/magnitude",
        f"data/events/data/items[{DEVICE}]/items/value/value",
        "data/events/state/items/value/value",
        "protocol/items[at0004 or at0005]/value/value",
        "data/events[matches {/at0.*6/}]/data/items[name/value matches {/.*[lt]/} or at0004]/value/magnitude",
    ],
    "EVALUATION": ["name/value", "data/items/value", "data[at0003]/items[at0004]/value/value"],
    "CLUSTER": ["name/value", "archetype_node_id", "items/value/value", "items[at0005]/value"],
    "ELEMENT": ["value", "value/magnitude", "value/value", "name/value", "archetype_node_id"],
    "EVENT": ["time/value", "time", "data/items[at0004]/value", "data/items[at0005]/value/magnitude"],
    "SECTION": ["name/value", "items/name/value"],
    "ENTRY": ["name/value", "archetype_node_id"],
    "LOCATABLE": ["name/value", "archetype_node_id", "name[value matches {/.*[at]/}]/value"],
    "EHR_STATUS": ["name/value", "is_modifiable"],
    "FOLDER": ["name/value", "items/id/value", "archetype_node_id", "folders/name/value"],
}
OBJECT_PATHS = {
    "COMPOSITION": ["context", "content", f"content[{PRESSURE}]"],
    "OBSERVATION": ["data", "data/events", "data[at0001]/events[at0006]", "protocol", SYSTOLIC],
    "EVALUATION": ["data/items"],
    "CLUSTER": ["items"],
}

FROMS = [
    "EHR e",
    "EHR e[ehr_id/value='ehr-0']",
    "EHR e CONTAINS COMPOSITION c",
    f"EHR e CONTAINS COMPOSITION c[{ENCOUNTER}] CONTAINS OBSERVATION o[{PRESSURE}]",
    f"EHR e CONTAINS COMPOSITION c CONTAINS OBSERVATION o[{PRESSURE}]",
    "COMPOSITION c",
    f"COMPOSITION c CONTAINS OBSERVATION o[{PRESSURE}, 'left']",
    "EHR CONTAINS COMPOSITION CONTAINS OBSERVATION o CONTAINS ELEMENT l",
    f"EHR e CONTAINS COMPOSITION c CONTAINS (OBSERVATION o[{PRESSURE}] AND OBSERVATION p[{TEMPERATURE}])",
    f"EHR e CONTAINS COMPOSITION c CONTAINS (OBSERVATION o[{PRESSURE}] OR EVALUATION v[{DIAGNOSIS}])",
    "EHR e CONTAINS COMPOSITION c NOT CONTAINS EVALUATION",
    f"EHR e CONTAINS COMPOSITION c[{ENCOUNTER}] NOT CONTAINS (OBSERVATION[{PRESSURE}] AND EVALUATION)",
    "EHR e NOT CONTAINS COMPOSITION x CONTAINS EVALUATION y",
    f"EHR e CONTAINS (COMPOSITION c CONTAINS OBSERVATION o[{PRESSURE}])"
    " AND (COMPOSITION d CONTAINS EVALUATION v)",
    f"EHR e CONTAINS (COMPOSITION c[{ENCOUNTER}] OR COMPOSITION d CONTAINS EVALUATION v)",
    "EHR e CONTAINS VERSION w CONTAINS COMPOSITION c",
    "EHR e CONTAINS VERSION w[ALL_VERSIONS] CONTAINS COMPOSITION c",
    "EHR e CONTAINS VERSION w[LATEST_VERSION] CONTAINS COMPOSITION c CONTAINS OBSERVATION o",
    "EHR e CONTAINS VERSION w[ALL_VERSIONS]",
    "EHR e CONTAINS VERSION w[commit_audit/time_committed/value >= '2024-02'] CONTAINS COMPOSITION c",
    "EHR e CONTAINS COMPOSITION c CONTAINS SECTION s CONTAINS ENTRY n",
    "EHR e CONTAINS COMPOSITION c CONTAINS OBSERVATION o CONTAINS CLUSTER k CONTAINS CLUSTER m",
    f"EHR e CONTAINS COMPOSITION c CONTAINS CLUSTER k[{DEVICE}] CONTAINS ELEMENT l[at0004]",
    "EHR e CONTAINS COMPOSITION c CONTAINS EVENT t",
    "EHR e CONTAINS COMPOSITION c CONTAINS LOCATABLE a[name/value='left']",
    "EHR e CONTAINS OBSERVATION o",
    "EHR e CONTAINS ELEMENT l[at0005]",
    "EHR e CONTAINS EHR_STATUS u",
    "EHR e CONTAINS (EHR_STATUS u AND COMPOSITION c)",
    "EHR e CONTAINS COMPOSITION c[name/value='left' and archetype_details/template_id/value='template.v1']",
    "EHR e CONTAINS COMPOSITION c[context/start_time/value >= '2020-01-15']",
    f"EHR e CONTAINS COMPOSITION c CONTAINS (OBSERVATION o[{PRESSURE}] AND (EVALUATION v OR SECTION s))",
    "COMPOSITION c AND COMPOSITION d",
    "EHR e CONTAINS FOLDER f",
    "EHR e CONTAINS FOLDER f[name/value='left'] CONTAINS COMPOSITION c",
    f"FOLDER f CONTAINS COMPOSITION c CONTAINS OBSERVATION o[{PRESSURE}]",
    "EHR e CONTAINS FOLDER f CONTAINS FOLDER g CONTAINS COMPOSITION c",
    "EHR e CONTAINS FOLDER f NOT CONTAINS COMPOSITION",
    "EHR e NOT CONTAINS FOLDER",
    "EHR e CONTAINS (FOLDER f CONTAINS COMPOSITION c) AND COMPOSITION d",
    f"EHR e CONTAINS COMPOSITION c CONTAINS (OBSERVATION o[{PRESSURE}] OR SECTION s)",
    f"EHR e CONTAINS COMPOSITION c CONTAINS OBSERVATION o[{PRESSURE}]",
    f"EHR e CONTAINS OBSERVATION o[{PRESSURE}]",
    r"EHR e CONTAINS COMPOSITION c CONTAINS OBSERVATION o[matches {/.*-OBSERVATION\.(blood|body).*/}]",
]
MOMENTS_OF_AS_OF = (
    "'2023-01'",
    "'2024-01-15T00:00:00Z'",
    "'2024-02-01T13:00:00+01:00'",
    "'2024-02'",
    "'2099'",
)
REGEXES = ("a.*", "[aA]lpha|beta", r"\d{4}-.*", ".*", "(a|b)+.*", r"a\*b", r"\w*ø\w*", "left")
CALCULATIONS = (
    *("{} + 1", "{} - {}", "({} + 2) * {}", "{} / 2", "({} - 0.1) / ({})", "{} * 3 - {} / 4 + 0.2"),
    *("ABS({} - {}) * 2", "ROUND({} / 3, 1)", "{} - -1"),
)

CLASSES = {
    "e": "EHR", "c": "COMPOSITION", "d": "COMPOSITION", "o": "OBSERVATION", "p": "OBSERVATION",
    "v": "EVALUATION", "w": "VERSION", "l": "ELEMENT", "k": "CLUSTER", "m": "CLUSTER", "t": "EVENT",
    "f": "FOLDER", "g": "FOLDER", "s": "SECTION", "n": "ENTRY", "a": "LOCATABLE", "u": "EHR_STATUS",
}  # fmt: skip

LITERALS = (
    *("1", "-2", "2.5", "120", "1e2", "true", "false", "NULL", "'alpha'", "'Alpha'", "'left'", "''"),
    *("'2020'", "'2020-01'", "'2020-01-15'", "'2020-01-15T10:00:00Z'", "'2020-01-15T08:00:00Z'"),
    *("'10:00'", "'10:00:00Z'", "'P1Y'", "'P30D'", "'ehr-0'", "'532'", "'template.v1'", r"'O\'Brien'"),
    *(f"'{ENCOUNTER}'", "'mm[Hg]'", "'2020-01-15T11:00:00+02:00'", "'20200115'", "'2020-13'"),
)
PATTERNS = ("'*'", "'a*'", "'?lpha'", "'*l*'", r"'a\*b'", "'left'", "'2020-*'", "''", "'*ø*'")
OPERATORS = ("=", "!=", "<", "<=", ">", ">=")
FUNCTIONS = (
    *("LENGTH({})", "CONTAINS({}, 'l')", "POSITION('a', {})", "SUBSTRING({}, 2)", "SUBSTRING({}, 0, 3)"),
    *("CONCAT({}, '-', {})", "CONCAT_WS('-', {}, {}, 'x')", "ABS({})", "MOD({}, 2)", "CEIL({})"),
    *("FLOOR({})", "ROUND({})", "ROUND({}, 1)", "CURRENT_DATE()", "NOW()", "CURRENT_TIMEZONE()"),
    *("DAYS_BETWEEN({}, '2020-01-15')", "GESTATIONAL_DAYS('2020-02-29', {})"),
)


@dataclass(frozen=True)
class Generated:
    """A query, and the column that its ORDER BY names, if it has one."""

    text: str
    sort_columns: tuple[int, ...] = ()


def random_query(rng: Random) -> Generated:
    """A whole query that resolves."""
    from_clause = rng.choice(FROMS)
    return Writer(rng, from_clause).query()


def variables(from_clause: str) -> list[str]:
    """The variables of a FROM clause that are bound."""
    words = from_clause.replace("(", " ").replace(")", " ").replace("[", " ").split()
    return [word for word in words if word in CLASSES]


class Writer:
    """Writes one query over the variables of a FROM clause."""

    def __init__(self, rng: Random, from_clause: str) -> None:
        self.rng = rng
        self.from_clause = from_clause
        self.names = variables(from_clause)

    def query(self) -> Generated:
        aggregated = self.rng.random() < 0.25
        make = self.aggregate if aggregated else self.column
        columns = [make() for _ in range(self.rng.choice((1, 2, 2, 3)))]
        words = "DISTINCT " if self.rng.random() < 0.25 and not aggregated else ""
        clauses = [f"AS OF {self.rng.choice(MOMENTS_OF_AS_OF)}"] if self.rng.random() < 0.2 else []
        clauses += [f"WHERE {self.condition(2)}"] if self.rng.random() < 0.5 else []
        sort_columns: tuple[int, ...] = ()
        sort_key = self.calculation() if self.rng.random() < 0.2 else self.sortable()
        if aggregated and self.rng.random() < 0.5:
            clauses.append(f"GROUP BY {self.path()}, {sort_key}")
        if self.rng.random() < 0.35:
            columns.append(f"{sort_key} AS k")
            by = self.rng.choice(("k", sort_key))
            clauses.append(self.rng.choice((f"ORDER BY {by}", f"ORDER BY {by} DESC")))
            sort_columns = (len(columns) - 1,)
        limit = self.rng.choice(("", "", "", "LIMIT 1", "LIMIT 2 OFFSET 1", "LIMIT 5"))
        if limit == "LIMIT 5" and self.rng.random() < 0.5:
            limit, words = "", words + "TOP 2 BACKWARD "
        head = f"SELECT {words}{', '.join(columns)} FROM {self.from_clause}"
        return Generated(" ".join([head, *clauses, limit]).strip(), sort_columns)

    def calculation(self) -> str:
        """Arithmetic over numbers that are perhaps none."""
        parts = self.rng.choice(CALCULATIONS).split("{}")
        made = parts[0]
        for part in parts[1:]:
            made += self.path() + part
        return made

    def path(self) -> str:
        name = self.rng.choice(self.names)
        return f"{name}/{self.rng.choice(PATHS[CLASSES[name]])}"

    def sortable(self) -> str:
        return self._until(lambda path: path.endswith(_SORTABLE))

    def column(self) -> str:
        roll = self.rng.random()
        if roll < 0.6:
            return self.path()
        if roll < 0.72:
            return self.rng.choice(self.whole())
        if roll < 0.76:
            return self.calculation()
        if roll < 0.82:
            return self.rng.choice(FUNCTIONS).replace("{}", self.path())
        if roll < 0.86:
            return self.rng.choice(LITERALS)
        path = self._until(lambda path: not path.startswith(("e/", "w/")) or set(self.names) <= {"e", "w"})
        return path if path.startswith(("e/", "w/")) else path.replace("/", "[name/value='left']/", 1)

    def whole(self) -> Sequence[str]:
        objects = [f"{name}/{path}" for name in self.names for path in OBJECT_PATHS.get(CLASSES[name], [])]
        return [*self.names, *objects]

    def aggregate(self) -> str:
        path = self.path()
        choices = ["COUNT({})", "COUNT(DISTINCT {})", "COUNT(*)", f"COUNT({self.rng.choice(self.names)})"]
        if path.endswith((*_SORTABLE, "time", "items[at0004]/value")):
            choices += ["MIN({})", "MAX({})"]
        if path.endswith("magnitude"):
            choices += ["SUM({})", "AVG({})"]
        return self.rng.choice(choices).replace("{}", path)

    def condition(self, depth: int) -> str:
        roll = self.rng.random()
        if depth and roll < 0.15:
            return f"({self.condition(depth - 1)} AND {self.condition(depth - 1)})"
        if depth and roll < 0.4:
            return f"({self.condition(depth - 1)} OR {self.condition(depth - 1)})"
        if depth and roll < 0.55:
            return f"NOT ({self.condition(depth - 1)})"
        return self.simple()

    def simple(self) -> str:
        path, literal = self.path(), self.rng.choice(LITERALS)
        operator = self.rng.choice((*OPERATORS, "="))
        if "time" in path:
            literal = self.rng.choice([each for each in LITERALS if each.startswith("'20")])
        some = ", ".join(self.rng.choice(LITERALS) for _ in range(self.rng.randint(1, 4)))
        call = self.rng.choice(FUNCTIONS).replace("{}", path)
        return self.rng.choice(
            (
                *(f"{path} {operator} {literal}", f"{path} {operator} {self.path()}"),
                *(f"{path} {operator} {literal}", f"{call} {operator} {literal}"),
                *(f"{path} LIKE {self.rng.choice(PATTERNS)}", f"{path} MATCHES {{{some}}}"),
                *(f"EXISTS {path}", f"NOT EXISTS {path}"),
                *(f"{path} MATCHES {{/{self.rng.choice(REGEXES)}/}}", f"CONTAINS({path}, 'a')"),
                f"{self.calculation()} {operator} {self.calculation()}",
            )
        )

    def _until(self, wanted: Callable[[str], bool]) -> str:
        while True:
            path = self.path()
            if wanted(path):
                return path


_SORTABLE = ("magnitude", "/value", "code_string", "node_id", "is_queryable")
