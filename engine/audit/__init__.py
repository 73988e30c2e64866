"""The look-ahead audit: nothing that a strategy says of a day may depend on what came after it."""

from engine.audit.combinations import audited_combinations
from engine.audit.computation import Computation, Difference, compute, first_differences
from engine.audit.errors import AuditError
from engine.audit.fill_delays import DELAYS, fill_delays
from engine.audit.histories import truncated, with_holes, with_noise_after
from engine.audit.run import DEFAULT_CUTS, Audit, Checked, Leak, audit, audit_panel, find_leaks

__all__ = [
    "DEFAULT_CUTS",
    "DELAYS",
    "Audit",
    "AuditError",
    "Checked",
    "Computation",
    "Difference",
    "Leak",
    "audit",
    "audit_panel",
    "audited_combinations",
    "compute",
    "fill_delays",
    "find_leaks",
    "first_differences",
    "truncated",
    "with_holes",
    "with_noise_after",
]
