"""AQL 1.1: text to tree (``parse``), tree to meaning (``resolve``, ``check``), meaning to ``Plan``."""

from cdr.aql.checks import check
from cdr.aql.collectors import Limits
from cdr.aql.compile import Page, Plan, compile_query
from cdr.aql.errors import AqlError, AqlSemanticError, AqlSyntaxError, AqlTooLarge
from cdr.aql.parser import parse
from cdr.aql.printer import print_query
from cdr.aql.result import ResultSet, result_set
from cdr.aql.scope import Scope, resolve

__all__ = [
    "AqlError",
    "AqlSemanticError",
    "AqlSyntaxError",
    "AqlTooLarge",
    "Limits",
    "Page",
    "Plan",
    "ResultSet",
    "Scope",
    "check",
    "compile_query",
    "parse",
    "print_query",
    "resolve",
    "result_set",
]
