"""The version of the installed product."""

from __future__ import annotations

from importlib.metadata import version

VERSION = version("helsekort-cdr")
