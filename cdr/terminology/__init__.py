"""Codes of terminologies outside of openEHR: services that know them, releases, and what they say of data."""

from cdr.terminology.check import Checked, code_uses, terminology_findings
from cdr.terminology.fhir import FhirTerminology
from cdr.terminology.local import LocalTerminology
from cdr.terminology.reading import read_code_system, read_code_system_csv, read_value_set
from cdr.terminology.releases import (
    CodeSystemRelease,
    Concept,
    ReleaseChanges,
    ValueSetRelease,
    changes,
    in_use,
)
from cdr.terminology.service import Answer, Coding, TerminologyService, Unreachable, Verdict

__all__ = [
    "Answer",
    "Checked",
    "CodeSystemRelease",
    "Coding",
    "Concept",
    "FhirTerminology",
    "LocalTerminology",
    "ReleaseChanges",
    "TerminologyService",
    "Unreachable",
    "ValueSetRelease",
    "Verdict",
    "changes",
    "code_uses",
    "in_use",
    "read_code_system",
    "read_code_system_csv",
    "read_value_set",
    "terminology_findings",
]
