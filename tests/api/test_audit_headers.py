"""What clients say about their commits, in every spelling."""

from __future__ import annotations

import pytest

from api.audit_headers import commit_audit, lifecycle
from api.http_errors import MalformedRequest
from cdr.versions import NO_AUDIT, ChangeType, Lifecycle
from tests.api.bare_requests import request_with, request_with_raw


def test_no_header_leaves_all_to_the_server() -> None:
    headers = request_with().headers
    assert commit_audit(headers) is NO_AUDIT
    assert lifecycle(headers) is Lifecycle.COMPLETE


@pytest.mark.parametrize(
    "name", [b"openehr-audit-details", b"openehr-audit_details", b"openehr-audit-details".upper()]
)
def test_attributes_in_one_header(name: bytes) -> None:
    value = (
        'change_type.code_string="250", description.value="Rettet \\"vekt\\"",committer.name="Åse Jordmor"'
    )
    audit = commit_audit(request_with_raw([(name.lower(), value.encode())]).headers)
    assert audit.change_type is ChangeType.AMENDMENT
    assert audit.description == 'Rettet "vekt"'
    assert audit.committer == {"_type": "PARTY_IDENTIFIED", "name": "Åse Jordmor"}


def test_attributes_in_header_names_as_version_1_0_3_has_them() -> None:
    lines = [
        (b"openehr-audit_details.change_type", b'code_string="251"'),
        (b"openehr-audit_details.description", b'value="Ny vekt"'),
        (b"openehr-version.lifecycle_state", b'code_string="553"'),
    ]
    headers = request_with_raw(lines).headers
    audit = commit_audit(headers)
    assert (audit.change_type, audit.description) == (ChangeType.MODIFICATION, "Ny vekt")
    assert lifecycle(headers) is Lifecycle.INCOMPLETE


def test_a_repeated_header_adds_attributes() -> None:
    lines = [
        (b"openehr-audit-details", b'description.value="a"'),
        (b"openehr-audit-details", b'committer.name="b"'),
    ]
    audit = commit_audit(request_with_raw(lines).headers)
    assert (audit.description, audit.committer) == ("a", {"_type": "PARTY_IDENTIFIED", "name": "b"})


def test_the_committer_may_be_a_reference() -> None:
    value = (
        'committer.external_ref.id="9000001",committer.external_ref.namespace="hpr",'
        'committer.external_ref.type="PERSON"'
    )
    audit = commit_audit(request_with(openehr_audit_details=value).headers)
    assert audit.committer == {
        "_type": "PARTY_IDENTIFIED",
        "external_ref": {
            "_type": "PARTY_REF",
            "id": {"_type": "GENERIC_ID", "value": "9000001", "scheme": "hpr"},
            "namespace": "hpr",
            "type": "PERSON",
        },
    }


@pytest.mark.parametrize(
    ("value", "named"),
    [
        ("description", "at 1"),
        ('description.value="a" committer.name="b"', "at 1"),
        ('description.value="open', "at 1"),
        ('system_id="x"', "system_id"),
        ('change_type.code_string="999"', "999"),
        ('committer.external_ref.id="1"', "namespace"),
    ],
)
def test_what_cannot_be_read_is_named(value: str, named: str) -> None:
    with pytest.raises(MalformedRequest, match=named) as caught:
        commit_audit(request_with(openehr_audit_details=value).headers)
    assert caught.value.code == "header.malformed"


@pytest.mark.parametrize("code", ["523", "999", "complete"])
def test_states_that_cannot_be_asked_for(code: str) -> None:
    with pytest.raises(MalformedRequest, match=code):
        lifecycle(request_with(openehr_version=f'lifecycle_state.code_string="{code}"').headers)
