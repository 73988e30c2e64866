"""SQL over the store: views, as-of macros, and a runner that can do nothing but read.

Views: prices, actions, macro, adjusted, sessions, panel, panel_long, series, sweep_runs, sweep_results,
study_runs, study_figures. All but ``series`` also exist as a macro ``NAME_as_of(moment)``.
"""

from sql.catalog import VIEWS
from sql.connection import connect, keep_alignment
from sql.errors import SqlError
from sql.output import Form
from sql.runner import Parameters, query, relation, run

__all__ = ["VIEWS", "Form", "Parameters", "SqlError", "connect", "keep_alignment", "query", "relation", "run"]
