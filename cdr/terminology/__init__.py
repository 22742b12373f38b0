"""Codes of terminologies outside of openEHR: services that know them, releases, and what they say of data."""

from cdr.terminology.check import code_uses, terminology_findings
from cdr.terminology.fhir import FhirTerminology
from cdr.terminology.local import PROVISIONAL, LocalTerminology
from cdr.terminology.reading import (
    MalformedCodeList,
    read_code_list,
    read_code_system,
    read_code_system_csv,
    read_value_set,
)
from cdr.terminology.releases import (
    ChangedCode,
    CodeSystemRelease,
    Concept,
    Release,
    ReleaseChanges,
    RetiredCode,
    ValueSetRelease,
    canonical,
    release_changes,
)
from cdr.terminology.service import Answer, Coding, TerminologyService, Unreachable, Verdict

__all__ = [
    "PROVISIONAL",
    "Answer",
    "ChangedCode",
    "CodeSystemRelease",
    "Coding",
    "Concept",
    "FhirTerminology",
    "LocalTerminology",
    "MalformedCodeList",
    "Release",
    "ReleaseChanges",
    "RetiredCode",
    "TerminologyService",
    "Unreachable",
    "ValueSetRelease",
    "Verdict",
    "canonical",
    "code_uses",
    "read_code_list",
    "read_code_system",
    "read_code_system_csv",
    "read_value_set",
    "release_changes",
    "terminology_findings",
]
