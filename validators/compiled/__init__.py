"""Validation of compositions, compiled: the findings of ``validators.composition``, many times faster."""

from validators.compiled.validator import Validator, compile_validator

__all__ = ["Validator", "compile_validator"]
