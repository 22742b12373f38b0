"""OET in and out: the form in which template editors exchange sources."""

from templates.oet_reader import read_oet as read_oet
from templates.oet_writer import NAMESPACE as NAMESPACE
from templates.oet_writer import write_oet as write_oet
