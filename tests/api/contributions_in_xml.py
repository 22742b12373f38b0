"""Contributions as clients send them in XML."""

from __future__ import annotations

from typing import Any

from archetypes.rm.canonical_xml import write_canonical_xml

XSI = 'xmlns="http://schemas.openehr.org/v1" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'


def coded(code: str) -> str:
    phrase = f"<terminology_id><value>openehr</value></terminology_id><code_string>{code}</code_string>"
    return f"<value>?</value><defining_code>{phrase}</defining_code>"


def version_xml(data: str, code: str = "249", type_name: str = "ORIGINAL_VERSION") -> str:
    return (
        f'<versions xsi:type="{type_name}">'
        f"<commit_audit><change_type>{coded(code)}</change_type></commit_audit>"
        f"<lifecycle_state>{coded('532')}</lifecycle_state>{data}</versions>"
    )


def contribution_xml(*versions: str) -> bytes:
    audit = '<audit><committer xsi:type="PARTY_IDENTIFIED"><name>Kari</name></committer></audit>'
    return f"<contribution {XSI}>{''.join(versions)}{audit}</contribution>".encode()


def data_xml(data: dict[str, Any]) -> str:
    """The element ``data`` of a version that holds this object."""
    return write_canonical_xml(data, "LOCATABLE", "data").decode().split("?>", 1)[1]
