"""The conformance table: the endpoints of ITS-REST with their statuses, by asking a server in this process.

``python -m bench.conformance`` writes ``docs/conformance.md``; a test runs the same and compares. A status
that differs from the specification has a reason in ``REASONS``; one without is shown as a fault.
"""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from httpx2 import Response
from starlette.testclient import TestClient

from api.app import create_app
from archetypes.rm.canonical_xml import write_canonical_xml
from cdr.settings import Mode, Settings
from templates.opt import write_opt
from tests.api.contributions_in_xml import contribution_xml, data_xml, version_xml
from tests.api.visits import BASE, TEMPLATE, visit
from tests.archetypes.adl_texts import small_adl2
from tests.cdr.small_template import small_template, status
from tests.cdr.updates import contribution, folder, update

DOCUMENT = Path(__file__).parents[1] / "docs" / "conformance.md"
XML = "application/xml"
FLAT = "application/openehr.wt.flat+json"
STRUCTURED = "application/openehr.wt.structured+json"
OLD_FLAT = "application/openehr.wt.flat.schema+json"
OLD_STRUCTURED = "application/openehr.wt.structured.schema+json"
RETURNS = ("minimal", "representation", "identifier")
AQL = "SELECT e/ehr_id/value FROM EHR e"

# (method, path, status of the specification, ours): why they differ.
REASONS: dict[tuple[str, str, int, int], str] = {
    ("DELETE", "/admin/ehr/all", 405, 204): "development servers only, where it is switched on",
    (
        "GET",
        "/definition/template/adl2/{template_id}/example",
        200,
        501,
    ): "compositions are made of OPT 1.4; refused by name",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One question and its answer; ``expected`` is the status of the specification."""

    method: str
    path: str
    case: str
    expected: int
    found: int

    @property
    def verdict(self) -> str:
        """Works, or differs and why."""
        if self.found == self.expected:
            return "works"
        reason = REASONS.get((self.method, self.path, self.expected, self.found))
        return f"differs: {reason}" if reason else "FAULT"


@dataclass(slots=True)
class Asker:
    """Asks and notes; ``ids`` fill the braces of a path."""

    client: TestClient
    rows: list[Row]
    ids: dict[str, str]

    def ask(self, method: str, path: str, case: str, expected: int, **request: Any) -> Response:
        """Send a request and note its status."""
        ids = {**self.ids, **request.pop("ids", {})}
        address = path
        for name, value in ids.items():
            address = address.replace("{" + name + "}", value)
        response = self.client.request(method, BASE + address, **request)
        self.rows.append(Row(method, path, case, expected, int(response.status_code)))
        if response.status_code == 201:
            assert response.headers["ETag"].startswith('W/"') and response.headers["Location"], (method, path)
        return response

    def create(self, path: str, rm_type: str, make: Callable[[], dict[str, Any]]) -> None:
        """POST in XML, in both spellings, and with every preference."""
        for spelling in (XML, "text/xml"):
            body = write_canonical_xml(make(), rm_type, rm_type.lower())
            headers = {"Content-Type": spelling, "Accept": spelling, "Prefer": "return=representation"}
            made = self.ask("POST", path, f"{spelling}, in and out", 201, content=body, headers=headers)
            assert made.headers["Content-Type"].startswith(XML), path
        for wanted in RETURNS:
            headers = {"Prefer": f"return={wanted}"}
            made = self.ask("POST", path, f"Prefer: return={wanted}", 201, json=make(), headers=headers)
            assert bool(made.content) is (wanted != "minimal"), (path, wanted)


def tag_of(response: Response) -> str:
    """The uid in the entity tag."""
    return str(response.headers["ETag"].removeprefix('W/"').removesuffix('"'))


def conformance_rows(client: TestClient) -> list[Row]:
    """Ask everything, in an order in which each question finds what it needs."""
    asker = Asker(client, [], {"ehr_id": "", "nobody": str(uuid.uuid4())})
    for family in (
        _ehr,
        _status,
        _composition,
        _directory,
        _contribution,
        _tags,
        _definition,
        _query,
        _admin,
    ):
        family(asker)
    return asker.rows


def _ehr(a: Asker) -> None:
    a.ask("OPTIONS", "", "what the server is", 200)
    body = status(f"conformance-{uuid.uuid4()}")
    made = a.ask("POST", "/ehr", "with an EHR_STATUS", 201, json=body)
    a.ids["ehr_id"] = tag_of(made)
    a.ask("POST", "/ehr", "without a body", 201)
    a.ask("POST", "/ehr", "subject has an EHR", 409, json=body)
    a.ask("POST", "/ehr", "broken JSON", 400, content=b"{", headers={"Content-Type": "application/json"})
    a.ask("PUT", "/ehr/{ehr_id}", "new id", 201, ids={"ehr_id": str(uuid.uuid4())})
    a.ask("PUT", "/ehr/{ehr_id}", "id in use", 409)
    a.ask("PUT", "/ehr/{ehr_id}", "id is no UUID", 400, ids={"ehr_id": "abc"})
    reference = body["subject"]["external_ref"]
    found = {"subject_id": reference["id"]["value"], "subject_namespace": "demo"}
    a.ask("GET", "/ehr", "by subject", 200, params=found)
    a.ask("GET", "/ehr", "unknown subject", 404, params={**found, "subject_id": "nobody"})
    a.create("/ehr", "EHR_STATUS", lambda: status(f"conformance-{uuid.uuid4()}"))
    a.ask("POST", "/ehr", "wrong Content-Type", 415, content=b"x", headers={"Content-Type": "text/html"})
    a.ask("POST", "/ehr", "invalid", 400, json={"_type": "EHR_STATUS"})
    a.ask("PUT", "/ehr/{ehr_id}", "with an EHR_STATUS", 201, ids={"ehr_id": str(uuid.uuid4())}, json=status())
    a.ask("GET", "/ehr", "without subject_namespace", 400, params={"subject_id": "a"})
    _get(a, "/ehr/{ehr_id}")
    a.ask("GET", "/ehr/{ehr_id}", "unknown", 404, ids={"ehr_id": a.ids["nobody"]})


def _get(a: Asker, path: str, formats: tuple[str, ...] = ("application/json", XML), **request: Any) -> None:
    """GET in each format, and in one that nobody has."""
    for media_type in formats:
        a.ask("GET", path, media_type, 200, headers={"Accept": media_type}, **request)
    a.ask("GET", path, "unfulfillable Accept", 406, headers={"Accept": "image/png"}, **request)


def _status(a: Asker) -> None:
    path = "/ehr/{ehr_id}/ehr_status"
    _get(a, path)
    first = tag_of(a.ask("GET", path, "latest", 200))
    a.ids["version_uid"] = first
    a.ask("GET", path, "at a time before the first", 404, params={"version_at_time": "2001-01-01T00:00:00Z"})
    a.ask("GET", path, "unreadable time", 400, params={"version_at_time": "yesterday"})
    _get(a, f"{path}/{{version_uid}}")
    a.ask("GET", f"{path}/{{version_uid}}", "unknown", 404, ids={"version_uid": f"{a.ids['nobody']}::a::1"})
    a.ask("PUT", path, "without If-Match", 400, json=status())
    latest = tag_of(a.ask("PUT", path, "minimal", 204, json=status(), headers={"If-Match": first}))
    body = write_canonical_xml(status(), "EHR_STATUS", "ehr_status")
    for spelling in ('W/"uid"', '"uid"', "uid"):
        in_xml = {"If-Match": spelling.replace("uid", latest), "Content-Type": XML}
        latest = tag_of(a.ask("PUT", path, f"{XML}, If-Match: {spelling}", 204, content=body, headers=in_xml))
    a.ask("PUT", path, "stale If-Match", 412, json=status(), headers={"If-Match": first})
    a.ask("PUT", path, "unknown EHR", 404, json=status(), headers={"If-Match": first}, ids=_nobody(a))
    a.ask("PUT", path, "invalid", 400, json={}, headers={"If-Match": latest})
    a.ask(
        "PUT", path, "representation", 200, json=status(),
        headers={"If-Match": latest, "Prefer": "return=representation"},
    )  # fmt: skip
    a.ids["version_uid"] = tag_of(a.client.get(f"{BASE}/ehr/{a.ids['ehr_id']}/ehr_status"))
    _versioned(a, "/ehr/{ehr_id}/versioned_ehr_status")


def _versioned(a: Asker, path: str) -> None:
    for below in ("", "/revision_history", "/version", "/version/{version_uid}"):
        _get(a, path + below)
        a.ask("GET", path + below, "unknown EHR", 404, ids=_nobody(a))
    a.ask("GET", f"{path}/version", "now", 200, params={"version_at_time": "2100-01-01T00:00:00Z"})
    early = {"version_at_time": "2001-01-01T00:00:00Z"}
    a.ask("GET", f"{path}/version", "at a time before the first", 404, params=early)
    a.ask("GET", f"{path}/version", "unreadable time", 400, params={"version_at_time": "yesterday"})


def _nobody(a: Asker) -> dict[str, str]:
    return {"ehr_id": a.ids["nobody"]}


def _composition(a: Asker) -> None:
    path = "/ehr/{ehr_id}/composition"
    first = tag_of(a.ask("POST", path, "application/json", 201, json=visit()))
    a.ids |= {"version_uid": first, "versioned_object_uid": first.partition("::")[0], "uid_based_id": first}
    one = f"{path}/{{uid_based_id}}"
    for media_type in (XML, FLAT, STRUCTURED, OLD_FLAT, OLD_STRUCTURED):
        a.ask("GET", one, media_type, 200, headers={"Accept": media_type})
        example = f"{BASE}/definition/template/adl1.4/{TEMPLATE}/example"
        shown = a.client.get(example, headers={"Accept": media_type})
        headers = {"Content-Type": media_type, "openehr-template-id": TEMPLATE}
        a.ask("POST", path, media_type, 201, content=shown.content, headers=headers)
    a.create(path, "COMPOSITION", visit)
    flat = {"Content-Type": FLAT}
    a.ask("POST", path, "FLAT without its template", 400, content=b"{}", headers=flat)
    a.ask("GET", one, "by object id", 200, ids={"uid_based_id": a.ids["versioned_object_uid"]})
    at = {"version_at_time": "2001-01-01T00:00:00Z"}
    object_id = {"uid_based_id": a.ids["versioned_object_uid"]}
    a.ask("GET", one, "at a time before the first", 404, ids=object_id, params=at)
    a.ask("GET", one, "unfulfillable Accept", 406, headers={"Accept": "image/png"})
    a.ask("GET", one, "unknown", 404, ids={"uid_based_id": a.ids["nobody"]})
    a.ask("POST", path, "unknown EHR", 404, json=visit(), ids={"ehr_id": a.ids["nobody"]})
    a.ask("POST", path, "invalid", 422, json=visit(units="kPa"))
    a.ask("POST", path, "broken JSON", 400, content=b"{", headers={"Content-Type": "application/json"})
    unknown = visit()
    unknown["archetype_details"]["template_id"]["value"] = "none"
    a.ask("POST", path, "unknown template", 422, json=unknown)
    a.ask("POST", path, "wrong Content-Type", 415, content=b"x", headers={"Content-Type": "text/html"})
    put = f"{path}/{{versioned_object_uid}}"
    a.ask("PUT", put, "without If-Match", 400, json=visit())
    second = tag_of(a.ask("PUT", put, "minimal", 204, json=visit(), headers={"If-Match": f'"{first}"'}))
    for wanted in ("representation", "identifier"):
        preferring = {"If-Match": second, "Prefer": f"return={wanted}"}
        second = tag_of(a.ask("PUT", put, f"Prefer: return={wanted}", 200, json=visit(), headers=preferring))
    a.ask("PUT", put, "stale If-Match", 412, json=visit(), headers={"If-Match": first})
    nowhere = {"versioned_object_uid": a.ids["nobody"]}
    a.ask(
        "PUT",
        put,
        "unknown",
        404,
        json=visit(),
        headers={"If-Match": f"{a.ids['nobody']}::a::1"},
        ids=nowhere,
    )
    a.ask("PUT", put, "invalid", 422, json=visit(units="kPa"), headers={"If-Match": second})
    _versioned(a, "/ehr/{ehr_id}/versioned_composition/{versioned_object_uid}")
    delete = f"{path}/{{version_uid}}"
    a.ask("DELETE", delete, "not the latest", 409)
    deleted = tag_of(a.ask("DELETE", delete, "the latest", 204, ids={"version_uid": second}))
    a.ask("DELETE", delete, "already deleted", 400, ids={"version_uid": deleted})
    a.ask("GET", one, "deleted", 204, ids={"uid_based_id": a.ids["versioned_object_uid"]})


def _directory(a: Asker) -> None:
    path = "/ehr/{ehr_id}/directory"
    a.ask("GET", path, "none", 404)
    a.ask("POST", path, "invalid", 400, json={"_type": "FOLDER"})
    first = tag_of(a.ask("POST", path, "application/json", 201, json=folder("root", folder("a"))))
    a.ids["version_uid"] = first
    a.ask("POST", path, "unknown EHR", 404, json=folder(), ids=_nobody(a))
    _get(a, path)
    a.ask("GET", path, "unreadable time", 400, params={"version_at_time": "yesterday"})
    a.ask("GET", path, "path", 200, params={"path": "a"})
    a.ask("GET", path, "path that is absent", 404, params={"path": "b"})
    _get(a, f"{path}/{{version_uid}}")
    a.ask("PUT", path, "without If-Match", 400, json=folder())
    second = tag_of(a.ask("PUT", path, "minimal", 204, json=folder(), headers={"If-Match": first}))
    in_xml = {"If-Match": second, "Content-Type": XML, "Accept": XML, "Prefer": "return=representation"}
    body = write_canonical_xml(folder(), "FOLDER", "folder")
    second = tag_of(a.ask("PUT", path, f"{XML}, representation", 200, content=body, headers=in_xml))
    a.ask("PUT", path, "invalid", 400, json={"_type": "FOLDER"}, headers={"If-Match": second})
    a.ask("PUT", path, "stale If-Match", 412, json=folder(), headers={"If-Match": first})
    a.ask("DELETE", path, "without If-Match", 400)
    a.ask("DELETE", path, "stale If-Match", 412, headers={"If-Match": first})
    a.ask("DELETE", path, "the latest", 204, headers={"If-Match": second})
    a.ask("GET", path, "deleted", 204)
    other = {"ehr_id": _new_ehr(a)}
    in_xml = {"Content-Type": XML}
    a.ask("POST", path, XML, 201, content=body, headers=in_xml, ids=other)


def _contribution(a: Asker) -> None:
    path = "/ehr/{ehr_id}/contribution"
    body = contribution(update("249", visit()), update("249", visit()), uid={"value": str(uuid.uuid4())})
    a.ids["contribution_uid"] = tag_of(a.ask("POST", path, "two compositions", 201, json=body))
    in_xml = contribution_xml(version_xml(data_xml(visit())), version_xml(data_xml(visit())))
    a.ask("POST", path, XML, 201, content=in_xml, headers={"Content-Type": XML})
    for wanted in RETURNS:
        headers = {"Prefer": f"return={wanted}"}
        one = contribution(update("249", visit()))
        a.ask("POST", path, f"Prefer: return={wanted}", 201, json=one, headers=headers)
    a.ask("POST", path, "uid in use", 409, json=body)
    a.ask("POST", path, "no versions", 400, json=contribution())
    a.ask("POST", path, "one version invalid", 400, json=contribution(update("249", visit(units="kPa"))))
    a.ask("POST", path, "unknown EHR", 404, json=body, ids={"ehr_id": a.ids["nobody"]})
    _get(a, f"{path}/{{contribution_uid}}")
    a.ask("GET", f"{path}/{{contribution_uid}}", "unknown", 404, ids={"contribution_uid": a.ids["nobody"]})


def _tags(a: Asker) -> None:
    made = a.client.post(f"{BASE}/ehr/{a.ids['ehr_id']}/composition", json=visit())
    a.ids["uid_based_id"] = tag_of(made)
    path = "/ehr/{ehr_id}/composition/{uid_based_id}/tags"
    a.ask("PUT", path, "minimal", 204, json=[{"key": "flag"}])
    a.ask("PUT", path, "no list", 400, json={})
    wanted = {"Prefer": "return=representation"}
    a.ask("PUT", path, "representation", 200, json=[{"key": "flag"}], headers=wanted)
    a.ask("GET", path, "application/json", 200)
    a.ask("GET", path, "unknown", 404, ids={"uid_based_id": a.ids["nobody"]})
    of_status = a.client.get(f"{BASE}/ehr/{a.ids['ehr_id']}/ehr_status")
    a_status = {"uid_based_id": tag_of(of_status)}
    for method, expected in (("PUT", 204), ("GET", 200)):
        sent = {"json": [{"key": "flag"}]} if method == "PUT" else {}
        a.ask(
            method,
            "/ehr/{ehr_id}/ehr_status/{uid_based_id}/tags",
            "application/json",
            expected,
            ids=a_status,
            **sent,
        )
    a.ask(
        "DELETE",
        "/ehr/{ehr_id}/ehr_status/{uid_based_id}/tags/{key}",
        "there",
        204,
        ids={**a_status, "key": "flag"},
    )
    a.ask("GET", "/ehr/{ehr_id}/tags", "none", 200, params={"tag_key": "none"})
    a.ask("GET", "/ehr/{ehr_id}/tags", "unknown EHR", 404, ids=_nobody(a))
    a.ask("GET", "/ehr/{ehr_id}/tags", "application/json", 200, params={"tag_key": "flag"})
    a.ask("DELETE", f"{path}/{{key}}", "there", 204, ids={"key": "flag"})
    a.ask("DELETE", f"{path}/{{key}}", "not there", 404, ids={"key": "flag"})


def _definition(a: Asker) -> None:
    path = "/definition/template/adl1.4"
    a.ids["template_id"] = TEMPLATE
    a.ask("GET", path, "application/json", 200)
    one = f"{path}/{{template_id}}"
    opt = a.ask("GET", one, XML, 200, headers={"Accept": XML})
    a.ask("GET", one, "web template", 200, headers={"Accept": "application/openehr.wt+json"})
    a.ask("GET", one, "unfulfillable Accept", 406, headers={"Accept": "image/png"})
    a.ask("GET", one, "unknown", 404, ids={"template_id": "none"})
    a.ask("POST", path, "id exists", 409, content=opt.content, headers={"Content-Type": XML})
    a.ask("POST", path, "unreadable", 400, content=b"<a", headers={"Content-Type": XML})
    new = write_opt(small_template(f"conformance-{uuid.uuid4()}.v0"))
    a.ask("POST", path, "new", 201, content=new, headers={"Content-Type": XML})
    for media_type in ("application/json", XML, FLAT, STRUCTURED, OLD_FLAT, OLD_STRUCTURED):
        a.ask("GET", f"{one}/example", media_type, 200, headers={"Accept": media_type})
    for level in ("required", "medium", "complete"):
        a.ask("GET", f"{one}/example", f"detail_level={level}", 200, params={"detail_level": level})
    a.ask("GET", f"{one}/example", "unknown detail_level", 400, params={"detail_level": "all"})
    a.ask("GET", f"{one}/example", "unknown", 404, ids={"template_id": "none"})
    a.ask("GET", f"{one}/example", "unfulfillable Accept", 406, headers={"Accept": "image/png"})
    adl2 = "/definition/template/adl2"
    plain = {"Content-Type": "text/plain"}
    kept = f"openEHR-EHR-CLUSTER.conformance{uuid.uuid4().hex}.v1.0.0"
    a.ask("POST", adl2, "ADL 2", 201, content=small_adl2(kept), headers=plain)
    a.ask("POST", adl2, "id exists", 409, content=small_adl2(kept), headers=plain)
    a.ask("POST", adl2, "unreadable", 400, content="x", headers=plain)
    a.ask("POST", adl2, "wrong Content-Type", 415, content="x", headers={"Content-Type": XML})
    a.ask("GET", adl2, "application/json", 200)
    named = {"template_id": kept}
    a.ask("GET", f"{adl2}/{{template_id}}", "text/plain", 200, ids=named)
    a.ask("GET", f"{adl2}/{{template_id}}", "unfulfillable Accept", 406, headers={"Accept": "image/png"})
    a.ask("GET", f"{adl2}/{{template_id}}/1.0.0", "there", 200, ids=named)
    a.ask("GET", f"{adl2}/{{template_id}}/example", "there", 200, ids=named)
    for below in ("", "/example", "/1.0.0"):
        a.ask("GET", f"{adl2}/{{template_id}}{below}", "unknown", 404, ids={"template_id": "none.v1"})
    a.ids |= {"qualified_query_name": f"no.conformance::q{uuid.uuid4().hex}", "version": "1.0.0"}
    stored = "/definition/query/{qualified_query_name}"
    text = {"Content-Type": "text/plain"}
    a.ask("PUT", stored, "new", 200, content=AQL, headers=text)
    a.ask("PUT", stored, "no AQL", 400, content="x", headers=text)
    a.ask(
        "PUT",
        stored,
        "the reserved name",
        400,
        content=AQL,
        headers=text,
        ids={"qualified_query_name": "aql"},
    )
    a.ask("PUT", f"{stored}/{{version}}", "version exists", 409, content=AQL, headers=text)
    a.ask("PUT", f"{stored}/{{version}}", "no AQL", 400, content="x", headers=text, ids={"version": "2.0.0"})
    a.ask("GET", stored, "list", 200)
    a.ask("GET", f"{stored}/{{version}}", "exact", 200)
    a.ask("GET", f"{stored}/{{version}}", "partial", 200, ids={"version": "1"})
    a.ask("GET", f"{stored}/{{version}}", "unknown", 404, ids={"version": "9"})


def _query(a: Asker) -> None:
    a.ask("GET", "/query/aql", "AQL", 200, params={"q": AQL})
    a.ask("GET", "/query/aql", "no AQL", 400, params={"q": "x"})
    a.ask("POST", "/query/aql", "AQL", 200, json={"q": AQL})
    a.ask("POST", "/query/aql", "no AQL", 400, json={"q": "x"})
    a.ask("POST", "/query/aql", "unfulfillable Accept", 406, json={"q": AQL}, headers={"Accept": "image/png"})
    a.ask("POST", "/query/aql", "wrong Content-Type", 415, content="x", headers={"Content-Type": XML})
    a.ask("GET", "/query/aql", "offset and fetch", 200, params={"q": AQL, "offset": 1, "fetch": 1})
    in_one = {"openehr-ehr-id": a.ids["ehr_id"]}
    a.ask("GET", "/query/aql", "openehr-ehr-id", 200, params={"q": AQL}, headers=in_one)
    for path in ("/query/{qualified_query_name}", "/query/{qualified_query_name}/{version}"):
        a.ask("GET", path, "stored", 200)
        a.ask("POST", path, "stored", 200, json={})
        a.ask("GET", path, "unknown", 404, ids={"qualified_query_name": "none"})


def _admin(a: Asker) -> None:
    a.ask("DELETE", "/admin/ehr/{ehr_id}", "there", 204)
    a.ask("DELETE", "/admin/ehr/{ehr_id}", "gone", 404)
    a.ask("DELETE", "/admin/ehr/all", "switched off", 405, params={"ehr_id": _new_ehr(a)})


def _new_ehr(a: Asker) -> str:
    return tag_of(a.client.post(f"{BASE}/ehr"))


NOT_ASKED = """\
Not here: `/demographic` (in development in ITS-REST), the statuses 202 (an erasure is done
when it is answered), 401 and 403 (see [api.md](api.md)), 408 (asked with a clock in the tests of queries).
"""


def document(rows: list[Row]) -> str:
    """The table as Markdown."""
    working = sum(row.found == row.expected for row in rows)
    differing = len(rows) - working
    lines = [
        "# Conformance to ITS-REST",
        "",
        "Made by `python -m bench.conformance`, which asks a server in its own process; do not edit.",
        f"{len(rows)} questions: {working} answered as the specification says, {differing} differently.",
        "",
        *NOT_ASKED.splitlines(),
        "",
        "| method | path | case | specification | here | |",
        "|---|---|---|---|---|---|",
        *map(_line, rows),
    ]
    return "\n".join(lines) + "\n"


def _line(row: Row) -> str:
    cells = (row.method, f"`{row.path or '/'}`", row.case, row.expected, row.found, row.verdict)
    return f"| {' | '.join(map(str, cells))} |"


def main() -> None:
    """Ask and write the document."""
    with tempfile.TemporaryDirectory() as folder_name:
        settings = Settings(mode=Mode.DEV, data=Path(folder_name))
        with TestClient(create_app(settings), base_url="http://127.0.0.1:8080") as client:
            rows = conformance_rows(client)
    DOCUMENT.write_text(document(rows), encoding="utf-8")
    faults = [row for row in rows if row.verdict == "FAULT"]
    for row in faults:
        print(row)
    print(f"{DOCUMENT.name}: {len(rows)} questions, {len(faults)} faults")


if __name__ == "__main__":
    main()
