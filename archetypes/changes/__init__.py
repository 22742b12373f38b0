"""What changed between two archetypes, node by node, and how much each change weighs."""

from archetypes.changes.archetype import classify_archetype_change as classify_archetype_change
from archetypes.changes.kinds import KINDS as KINDS
from archetypes.changes.kinds import Change as Change
from archetypes.changes.kinds import Level as Level
from archetypes.changes.kinds import change as change
from archetypes.changes.kinds import overall_level as overall_level
from archetypes.changes.kinds import suggested_version as suggested_version
