"""AQL 1.1: text to tree (``parse``), tree to meaning (``resolve``, ``check``), meaning to plan (``compile_query``)."""

from cdr.aql.errors import AqlError, AqlSemanticError, AqlSyntaxError, AqlTooLarge
from cdr.aql.parser import parse
from cdr.aql.printer import print_query

__all__ = ["AqlError", "AqlSemanticError", "AqlSyntaxError", "AqlTooLarge", "parse", "print_query"]
