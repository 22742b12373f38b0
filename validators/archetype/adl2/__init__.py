"""Validity rules of AOM 2: what ADL 2 archetypes must be, alone and beside their flat parents."""
