"""OPT 1.4 XML in and out: the compiled form that every openEHR tool reads."""

from templates.opt_reader import read_opt as read_opt
from templates.opt_writer import content_hash as content_hash
from templates.opt_writer import write_opt as write_opt
