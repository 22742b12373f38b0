"""The openEHR terminology: groups, code sets and the units of each physical property."""

from archetypes.terminology.openehr import OpenehrTerminology, is_in_group, terminology

__all__ = ["OpenehrTerminology", "is_in_group", "terminology"]
