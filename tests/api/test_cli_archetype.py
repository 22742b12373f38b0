"""``helsekort archetype``: answers, exit statuses, and nothing but findings on bad input."""

from __future__ import annotations

import zipfile
from pathlib import Path

import orjson
import pytest
from jsonschema import Draft202012Validator

from api.cli.sources import OUR_ARCHETYPES
from archetypes.adl.parser import parse_adl
from archetypes.adl.printer import print_adl
from archetypes.repository import library
from tests.api.cli_runs import helsekort
from tests.archetypes.adl_texts import adl, adl2

WEIGHT = "openEHR-EHR-OBSERVATION.body_weight.v2"
WEIGHT_FILE = OUR_ARCHETYPES / "observation" / f"{WEIGHT}.adl"
NAME = "openEHR-EHR-CLUSTER.test.v1.adl"
GOOD = adl("CLUSTER[at0000] matches {*}")

# The parts of the SARIF 2.1.0 schema (OASIS) that a code host needs.
TEXT = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string", "minLength": 1}}}
POSITIVE = {"type": "integer", "minimum": 1}
URI = {"type": "string", "pattern": r"^[A-Za-z0-9._~!$&'()*+,;=:@%/-]+$"}
RULES = {"type": "array", "uniqueItems": True, "items": {"required": ["id"]}}
LOCATION = {
    "type": "object",
    "properties": {
        "physicalLocation": {
            "type": "object",
            "required": ["artifactLocation"],
            "properties": {
                "artifactLocation": {
                    "type": "object",
                    "required": ["uri"],
                    "properties": {
                        "uri": {"type": "string", "pattern": r"^[A-Za-z0-9._~!$&'()*+,;=:@%/-]+$"}
                    },
                },
                "region": {"properties": {"startLine": POSITIVE, "startColumn": POSITIVE}},
            },
        },
        "logicalLocations": {"type": "array", "items": {"required": ["fullyQualifiedName"]}},
    },
    "additionalProperties": False,
}
SARIF = {
    "type": "object",
    "required": ["version", "runs"],
    "additionalProperties": False,
    "properties": {
        "$schema": {"type": "string", "format": "uri"},
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "minItems": 1,
            "items": {
                "required": ["tool", "results"],
                "properties": {
                    "tool": {
                        "required": ["driver"],
                        "properties": {
                            "driver": {
                                "required": ["name", "rules"],
                                "properties": {
                                    "rules": RULES
                                },
                            }
                        },
                    },
                    "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                    "results": {
                        "type": "array",
                        "items": {
                            "required": ["message", "ruleId", "ruleIndex", "level"],
                            "properties": {
                                "message": TEXT,
                                "level": {"enum": ["none", "note", "warning", "error"]},
                                "locations": {"type": "array", "items": LOCATION},
                            },
                        },
                    },
                },
            },
        },
    },
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A library with a good file, a broken one and one that is no text."""
    (tmp_path / "public").mkdir()
    (tmp_path / "public" / NAME).write_text(GOOD, "utf-8")
    (tmp_path / "public" / "broken.adl").write_text(GOOD.replace("definition", "defintion"), "utf-8")
    (tmp_path / "public" / "bytes.adl").write_bytes(b"\xff\xfe\x00")
    return tmp_path / "public"


def test_list_and_show() -> None:
    assert WEIGHT in helsekort("archetype", "list").stdout
    shown = helsekort("archetype", "show", WEIGHT, "--language", "nb").stdout
    assert "Kroppsvekt OBSERVATION[at0000]" in shown
    assert "DV_QUANTITY kg" in shown
    assert "Body weight" in helsekort("archetype", "show", WEIGHT_FILE, "--language", "en").stdout


def test_export_is_the_same_archetype(tmp_path: Path) -> None:
    out = tmp_path / "x.adl"
    assert helsekort("archetype", "export", WEIGHT, "--out", out).exit_code == 0
    assert parse_adl(out.read_text("utf-8")) == library().get(WEIGHT)
    assert helsekort("archetype", "export", WEIGHT).stdout_bytes == out.read_bytes()


# --- lint ---------------------------------------------------------------------------------------------


def test_lint_finds_what_is_wrong_and_says_where(folder: Path) -> None:
    ended = helsekort("archetype", "lint", folder, "--json", "--validity-only")
    assert ended.exit_code == 1
    answer = orjson.loads(ended.stdout)
    assert answer["files"] == 3
    by_code = {each["code"]: each for each in answer["findings"]}
    assert by_code["import.encoding"]["file"].endswith("bytes.adl")
    assert by_code["adl.syntax"]["file"].endswith("broken.adl")
    assert all(each["line"] >= 1 and each["message"] for each in answer["findings"])


def test_lint_of_something_good_is_quiet() -> None:
    ended = helsekort("archetype", "lint", WEIGHT, "--validity-only")
    assert (ended.exit_code, ended.stdout) == (0, "No findings in 1 files.\n")
    assert (
        "Ingen funn" in helsekort("archetype", "lint", WEIGHT, "--validity-only", "--language", "nb").stdout
    )


def test_lint_text_has_places_and_a_summary(folder: Path) -> None:
    ended = helsekort("archetype", "lint", folder, "--language", "nb")
    assert "broken.adl:" in ended.stdout
    assert "feil adl.syntax" in ended.stdout
    assert ended.stdout.splitlines()[-1].startswith("3 filer, ")


@pytest.mark.parametrize("what", [[], ["lint-nothing"]])
def test_sarif(folder: Path, what: list[str]) -> None:
    place = WEIGHT if what else folder
    ended = helsekort("archetype", "lint", place, "--format", "sarif", "--validity-only")
    sarif = orjson.loads(ended.stdout)
    Draft202012Validator(SARIF).validate(sarif)
    (run,) = sarif["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert all(rules[result["ruleIndex"]] == result["ruleId"] for result in run["results"])
    assert bool(run["results"]) is not bool(what)


# --- check --------------------------------------------------------------------------------------------


def test_check_counts_in_its_last_line(folder: Path, tmp_path: Path) -> None:
    ended = helsekort("archetype", "check", folder)
    assert ended.exit_code == 1
    last = ended.stdout.splitlines()[-1]
    assert last.startswith("3 files, 1 read, 1 round-tripped, ")
    assert last.endswith(" with findings")
    listed = tmp_path / "illegal.txt"
    listed.write_text("# known\nbroken.adl  no definition\nbytes.adl  no text\n")
    assert helsekort("archetype", "check", folder, "--illegal", listed).exit_code == 0
    answer = orjson.loads(helsekort("archetype", "check", folder, "--json").stdout)
    assert [each["read"] for each in answer["files"]] == [False, False, True]
    assert answer["summary"] == last


def test_check_of_our_library() -> None:
    ended = helsekort("archetype", "check", OUR_ARCHETYPES)
    count = len(library().ids())
    assert ended.exit_code == 0
    assert (
        ended.stdout.splitlines()[-1]
        == f"{count} files, {count} read, {count} round-tripped, 0 with findings"
    )


# --- diff and impact ----------------------------------------------------------------------------------


@pytest.fixture
def heavier(tmp_path: Path) -> Path:
    """Body weight up to 200 kg instead of what our edition allows."""
    text = print_adl(library().get(WEIGHT))
    assert "250.0" in text
    path = tmp_path / f"{WEIGHT}.adl"
    path.write_text(text.replace("250.0", "200.0"), "utf-8")
    return path


def test_diff_tells_level_and_version(heavier: Path) -> None:
    ended = helsekort("archetype", "diff", WEIGHT, heavier, "--json")
    answer = orjson.loads(ended.stdout)
    assert ended.exit_code == 1
    assert answer["level"] == "major"
    assert [each["code"] for each in answer["changes"]] == ["range.narrowed"]
    assert (answer["version"], answer["next_version"]) == ("0.1.0", "1.0.0")
    back = helsekort("archetype", "diff", heavier, WEIGHT, "--language", "nb")
    assert back.exit_code == 0
    assert "tillegg range.widened" in back.stdout
    assert helsekort("archetype", "diff", WEIGHT, WEIGHT).stdout == "No changes.\n"


def test_impact_names_the_templates(heavier: Path, tmp_path: Path) -> None:
    ended = helsekort("archetype", "impact", heavier, "--json")
    assert ended.exit_code == 1
    by_template = {each["template"]: each for each in orjson.loads(ended.stdout)}
    visit = by_template["helsekort_kontroll.v0"]
    assert [finding["code"] for finding in visit["findings"]] == ["template.range_widened"]
    assert not visit["compiles"]
    assert "helsekort_samtykke.v0" not in by_template
    unused = tmp_path / NAME
    unused.write_text(GOOD, "utf-8")
    ended = helsekort("archetype", "impact", unused)
    assert (ended.exit_code, ended.stdout) == (0, "No template of the library uses the archetype.\n")


def test_impact_tells_the_changes_of_each_template(tmp_path: Path) -> None:
    text = print_adl(library().get(WEIGHT))
    path = tmp_path / f"{WEIGHT}.adl"
    path.write_text(text.replace('text = <"Vekt">', 'text = <"Masse">'), "utf-8")
    ended = helsekort("archetype", "impact", path, "--json")
    visit = next(each for each in orjson.loads(ended.stdout) if each["template"] == "helsekort_kontroll.v0")
    assert (ended.exit_code, visit["level"], visit["compiles"]) == (1, "major", True)
    assert [each["code"] for each in visit["changes"]] == ["name.changed"]


def test_impact_of_an_archetype_that_templates_cannot_use_any_more(tmp_path: Path) -> None:
    text = print_adl(library().get(WEIGHT)).replace("ELEMENT[at0004]", "ELEMENT[at0099]")
    path = tmp_path / f"{WEIGHT}.adl"
    path.write_text(text, "utf-8")
    ended = helsekort("archetype", "impact", path)
    assert ended.exit_code == 1
    assert "no longer compiles" in ended.stdout
    assert "template.unknown_path" in ended.stdout


# --- import -------------------------------------------------------------------------------------------


def test_import_is_whole_or_not_at_all(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "library"
    refused = helsekort("archetype", "import", folder, "--to", target)
    assert refused.exit_code == 1
    assert not target.exists()
    partial = helsekort("archetype", "import", folder, "--to", target, "--partial")
    assert partial.exit_code == 1
    assert [path.relative_to(target).as_posix() for path in target.rglob("*.adl")] == [f"cluster/{NAME}"]
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".import")] == []


def test_import_of_a_zip(tmp_path: Path) -> None:
    source = tmp_path / "public.zip"
    with zipfile.ZipFile(source, "w") as archive:
        archive.writestr(NAME, GOOD)
    report = orjson.loads(helsekort("archetype", "import", source, "--json").stdout)
    assert report == {"files": 1, "importable": [f"cluster/{NAME}"], "written": False, "findings": []}
    target = tmp_path / "library"
    assert helsekort("archetype", "import", source, "--to", target).exit_code == 0
    assert (target / "cluster" / NAME).read_text("utf-8") == GOOD
    again = helsekort("archetype", "import", source, "--to", target)
    assert again.exit_code == 2
    assert "exists already" in again.stderr


# --- use ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        ("archetype", "show", "nothing"),
        ("archetype", "lint", "/no/such/file.adl"),
        ("archetype", "diff", WEIGHT),
        ("archetype", "lint", "--format", "xml"),
        ("archetype", "lint", "--language", "de"),
        ("archetype", "check", "/no/such/folder"),
        ("archetype", "import", OUR_ARCHETYPES, "--to", "/no/such/folder/below"),
    ],
)
def test_wrong_use_ends_with_2(arguments: tuple[object, ...]) -> None:
    assert helsekort(*arguments).exit_code == 2


def test_help_helps() -> None:
    shown = helsekort("archetype", "--help").stdout
    assert all(name in shown for name in ("lint", "check", "show", "diff", "impact", "import", "export"))


# --- ADL 2 --------------------------------------------------------------------------------------------

PARENT2 = """CLUSTER[id1] matches {
    items matches {
        ELEMENT[id2] occurrences matches {0..1} matches {
            value matches {
                DV_QUANTITY[id3] matches {
                    [magnitude, units] matches {
                        [{|0.0..10.0|}, {"cm"}],
                        [{|0.0..4.0|}, {"[in_i]"}]
                    }
                }
            }
        }
        allow_archetype CLUSTER[id4] occurrences matches {0..1}
    }
}"""
TERMS2 = """term_definitions = <["en"] = <
    ["id1"] = <text = <"Box"> description = <"A box.">>
    ["id2"] = <text = <"Width"> description = <"Its width.">>
    ["id4"] = <text = <"Details"> description = <"Its details.">>
>>"""
CHILD2 = """CLUSTER[id1.1] matches {
    /items[id2]/value matches {
        DV_QUANTITY[id3] matches {
            [magnitude, units] matches {
                [{|0.0..10.0|}, {"cm"}]
            }
        }
    }
}"""
CHILD_TERMS2 = 'term_definitions = <["en"] = <["id1.1"] = <text = <"Small box"> description = <"A box.">>>>'
TEMPLATE2 = adl2(
    "CLUSTER[id1.1.1] matches { items matches { use_archetype CLUSTER[id4.0.1, openEHR-EHR-CLUSTER.test.v1] "
    "allow_archetype CLUSTER[id4] closed } }",
    archetype_id="openEHR-EHR-CLUSTER.t_box.v1.0.0",
    parent="openEHR-EHR-CLUSTER.small.v1",
    terminology=CHILD_TERMS2.replace("id1.1", "id1.1.1"),
).replace("archetype (", "template (", 1)


@pytest.fixture
def boxes(tmp_path: Path) -> Path:
    """A library of ADL 2: an archetype, one that specialises it, and a template of this."""
    folder = tmp_path / "boxes"
    folder.mkdir()
    files = {
        "openEHR-EHR-CLUSTER.test.v1.0.0.adls": adl2(PARENT2, terminology=TERMS2),
        "openEHR-EHR-CLUSTER.small.v1.0.0.adls": adl2(
            CHILD2,
            archetype_id="openEHR-EHR-CLUSTER.small.v1.0.0",
            parent="openEHR-EHR-CLUSTER.test.v1",
            terminology=CHILD_TERMS2,
        ),
        "openEHR-EHR-CLUSTER.t_box.v1.0.0.adlt": TEMPLATE2,
        NAME: GOOD,
    }
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_a_folder_of_both_generations_is_checked(boxes: Path) -> None:
    result = helsekort("archetype", "check", str(boxes))
    assert result.stdout.splitlines()[-1].startswith("4 files, 4 read, 4 round-tripped, ")
    assert result.exit_code == 0


def test_a_truncated_file_of_adl2_fails_the_check(boxes: Path) -> None:
    file = boxes / "openEHR-EHR-CLUSTER.test.v1.0.0.adls"
    file.write_text(file.read_text(encoding="utf-8")[:300], encoding="utf-8")
    result = helsekort("archetype", "check", str(boxes))
    assert "4 files, 3 read" in result.stdout
    assert f"{file.name}:" in result.stdout
    assert result.exit_code == 1


def test_the_flat_form_is_shown_and_exported(boxes: Path) -> None:
    file = str(boxes / "openEHR-EHR-CLUSTER.small.v1.0.0.adls")
    assert "Width" not in helsekort("archetype", "show", file).stdout
    assert "cm" in helsekort("archetype", "show", file, "--flat").stdout
    assert "ELEMENT[id2]" in helsekort("archetype", "export", file, "--flat").stdout
    assert parse_adl(helsekort("archetype", "export", file).stdout).is_differential


def test_an_operational_template_is_exported(boxes: Path) -> None:
    file = str(boxes / "openEHR-EHR-CLUSTER.t_box.v1.0.0.adlt")
    made = parse_adl(helsekort("archetype", "export", file, "--operational").stdout)
    assert made.kind == "operational_template"
    assert list(made.component_terminologies) == ["openEHR-EHR-CLUSTER.test.v1.0.0"]
    refused = helsekort("archetype", "export", str(boxes / NAME), "--operational")
    assert refused.exit_code == 2


def test_a_unit_that_went_is_a_major_change(boxes: Path) -> None:
    old, new = (str(boxes / f"openEHR-EHR-CLUSTER.{name}.v1.0.0.adls") for name in ("test", "small"))
    result = helsekort("archetype", "diff", old, new)
    assert "unit.removed" in result.stdout
    assert result.exit_code == 1


def test_lint_of_adl2_names_rule_and_place(boxes: Path) -> None:
    file = boxes / "openEHR-EHR-CLUSTER.small.v1.0.0.adls"
    file.write_text(file.read_text(encoding="utf-8").replace("[id2]/value", "[id9]/value"), encoding="utf-8")
    result = helsekort("archetype", "lint", str(boxes))
    assert "VDIFP" in result.stdout
    assert f"{file.name}:" in result.stdout
    assert result.exit_code == 1


def test_both_generations_are_imported(boxes: Path, tmp_path: Path) -> None:
    target = tmp_path / "taken"
    result = helsekort("archetype", "import", str(boxes), "--to", str(target))
    assert result.exit_code == 0
    taken = sorted(path.name for path in (target / "cluster").iterdir())
    assert taken == sorted(path.name for path in boxes.iterdir())
    twin = boxes / "second.adls"
    twin.write_text((boxes / "openEHR-EHR-CLUSTER.test.v1.0.0.adls").read_text("utf-8") + "\n", "utf-8")
    assert "import.duplicate_id" in helsekort("archetype", "import", str(boxes), "--json").stdout
