"""Generated AQL queries over the archetypes of ``records``: text, so that parser and resolver take part."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

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
    ],
    "EVALUATION": ["name/value", "data/items/value", "data[at0003]/items[at0004]/value/value"],
    "CLUSTER": ["name/value", "archetype_node_id", "items/value/value", "items[at0005]/value"],
    "ELEMENT": ["value", "value/magnitude", "value/value", "name/value", "archetype_node_id"],
    "EVENT": ["time/value", "time", "data/items[at0004]/value", "data/items[at0005]/value/magnitude"],
    "SECTION": ["name/value", "items/name/value"],
    "ENTRY": ["name/value", "archetype_node_id"],
    "LOCATABLE": ["name/value", "archetype_node_id"],
    "EHR_STATUS": ["name/value", "is_modifiable"],
}
OBJECT_PATHS = {
    "COMPOSITION": ["context", "content", f"content[{PRESSURE}]"],
    "OBSERVATION": ["data", "data/events", "protocol"],
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
]

_CLASSES = {
    "e": "EHR", "c": "COMPOSITION", "d": "COMPOSITION", "o": "OBSERVATION", "p": "OBSERVATION",
    "v": "EVALUATION", "w": "VERSION", "l": "ELEMENT", "k": "CLUSTER", "m": "CLUSTER", "t": "EVENT",
    "s": "SECTION", "n": "ENTRY", "a": "LOCATABLE", "u": "EHR_STATUS",
}  # fmt: skip

_LITERALS = (
    *("1", "-2", "2.5", "120", "1e2", "true", "false", "NULL", "'alpha'", "'Alpha'", "'left'", "''"),
    *("'2020'", "'2020-01'", "'2020-01-15'", "'2020-01-15T10:00:00Z'", "'2020-01-15T08:00:00Z'"),
    *("'10:00'", "'10:00:00Z'", "'P1Y'", "'P30D'", "'ehr-0'", "'532'", "'template.v1'", r"'O\'Brien'"),
    *(f"'{ENCOUNTER}'", "'mm[Hg]'", "'2020-01-15T11:00:00+02:00'", "'20200115'", "'2020-13'"),
)
LITERALS = st.sampled_from(_LITERALS)
PATTERNS = st.sampled_from(
    ["'*'", "'a*'", "'?lpha'", "'*l*'", r"'a\*b'", "'left'", "'2020-*'", "''", "'*ø*'"]
)
OPERATORS = st.sampled_from(["=", "!=", "<", "<=", ">", ">="])
FUNCTIONS = [
    "LENGTH({})", "CONTAINS({}, 'l')", "POSITION('a', {})", "SUBSTRING({}, 2)", "SUBSTRING({}, 0, 3)",
    "CONCAT({}, '-', {})", "CONCAT_WS('-', {}, {}, 'x')", "ABS({})", "MOD({}, 2)", "CEIL({})", "FLOOR({})",
    "ROUND({})", "ROUND({}, 1)", "CURRENT_DATE()", "NOW()", "CURRENT_TIMEZONE()",
]  # fmt: skip


@dataclass(frozen=True)
class Generated:
    """A query, and whether its ORDER BY, if any, names columns only."""

    text: str
    sort_columns: tuple[int, ...] = ()


def variables(from_clause: str) -> list[str]:
    """The variables of a FROM clause that are bound."""
    words = from_clause.replace("(", " ").replace(")", " ").replace("[", " ").split()
    return [word for word in words if word in _CLASSES]


@st.composite
def queries(draw: st.DrawFn) -> Generated:
    """A whole query that resolves."""
    from_clause = draw(st.sampled_from(FROMS))
    names = variables(from_clause)
    paths = st.sampled_from(names).flatmap(_path)
    if draw(st.integers(0, 3)) == 0:
        return draw(_aggregated(from_clause, paths, names))
    count = draw(st.integers(1, 3))
    columns = [draw(_column(paths, names)) for _ in range(count)]
    distinct = draw(st.sampled_from(["", "", "DISTINCT "]))
    clauses = [draw(_where_clause(paths))]
    sort_columns: tuple[int, ...] = ()
    if draw(st.integers(0, 2)) == 0:
        columns.append(draw(paths.filter(_sortable)) + " AS k")
        direction = draw(st.sampled_from(["", " DESC"]))
        clauses.append(f"ORDER BY k{direction}")
        sort_columns = (len(columns) - 1,)
    clauses.append(draw(_limit()))
    return Generated(
        " ".join([f"SELECT {distinct}{', '.join(columns)} FROM {from_clause}", *filter(None, clauses)]),
        sort_columns,
    )


def _path(variable: str) -> st.SearchStrategy[str]:
    return st.sampled_from(PATHS[_CLASSES[variable]]).map(lambda path: f"{variable}/{path}")


def _sortable(path: str) -> bool:
    return path.endswith(("magnitude", "/value", "code_string", "node_id", "is_queryable"))


def _column(paths: st.SearchStrategy[str], names: list[str]) -> st.SearchStrategy[str]:
    objects = [f"{name}/{path}" for name in names for path in OBJECT_PATHS.get(_CLASSES[name], [])]
    whole = st.sampled_from([*names, *objects])
    called = st.tuples(st.sampled_from(FUNCTIONS), paths).map(lambda pair: pair[0].replace("{}", pair[1]))
    predicated = paths.map(lambda path: path.replace("/", "[name/value='left']/", 1)).filter(
        lambda path: not path.startswith(("e[", "w["))
    )
    return st.one_of(paths, paths, paths, whole, called, LITERALS, predicated | paths)


@st.composite
def _aggregated(
    draw: st.DrawFn, from_clause: str, paths: st.SearchStrategy[str], names: list[str]
) -> Generated:
    columns = []
    for _ in range(draw(st.integers(1, 2))):
        path = draw(paths)
        numeric = path.endswith("magnitude")
        orderly = _sortable(path) or path.endswith(("time", "items[at0004]/value"))
        choices = [
            "COUNT({})",
            "COUNT(DISTINCT {})",
            "COUNT(*)",
            "COUNT(" + draw(st.sampled_from(names)) + ")",
        ]
        choices += ["MIN({})", "MAX({})"] * orderly + ["SUM({})", "AVG({})"] * numeric
        columns.append(draw(st.sampled_from(choices)).replace("{}", path))
    sort_columns: tuple[int, ...] = ()
    clauses = [draw(_where_clause(paths))]
    if draw(st.booleans()):
        columns.append(draw(paths.filter(_sortable)) + " AS k")
        if draw(st.booleans()):
            clauses.append("ORDER BY k DESC")
            sort_columns = (len(columns) - 1,)
    clauses.append(draw(_limit()))
    return Generated(
        " ".join([f"SELECT {', '.join(columns)} FROM {from_clause}", *filter(None, clauses)]), sort_columns
    )


def _limit() -> st.SearchStrategy[str]:
    return st.sampled_from(["", "", "", "LIMIT 1", "LIMIT 2 OFFSET 1", "LIMIT 5"])


def _where_clause(paths: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(st.just(""), conditions(paths).map(lambda condition: f"WHERE {condition}"))


def conditions(paths: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """A condition with AND, OR, NOT over simple ones."""
    called = st.tuples(st.sampled_from(FUNCTIONS), paths).map(lambda pair: pair[0].replace("{}", pair[1]))
    simple = st.one_of(
        st.tuples(paths, OPERATORS, LITERALS | paths).map(" ".join),
        st.tuples(paths, OPERATORS, LITERALS).map(" ".join),
        st.tuples(called, OPERATORS, LITERALS).map(" ".join),
        st.tuples(paths, PATTERNS).map(" LIKE ".join),
        st.tuples(paths, st.lists(LITERALS, min_size=1, max_size=3)).map(
            lambda pair: f"{pair[0]} MATCHES {{{', '.join(pair[1])}}}"
        ),
        paths.map(lambda path: f"EXISTS {path}"),
        paths.map(lambda path: f"NOT EXISTS {path}"),
    )
    return st.recursive(
        simple,
        lambda inner: st.one_of(
            st.tuples(inner, inner).map(lambda pair: f"({pair[0]} AND {pair[1]})"),
            st.tuples(inner, inner).map(lambda pair: f"({pair[0]} OR {pair[1]})"),
            inner.map(lambda each: f"NOT ({each})"),
        ),
        max_leaves=3,
    )
