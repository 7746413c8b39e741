"""A check as one self-contained page of HTML."""

from edgenn.report.html.page import render_html, write_html

__all__ = ["render_html", "write_html"]
