"""The report of a sweep as a page: tables, charts and sentences in one HTML file."""

from engine.report.page.document import report_html, write_report

__all__ = ["report_html", "write_report"]
