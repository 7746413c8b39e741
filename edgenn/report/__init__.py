"""What was found, for people and for programs."""

from edgenn.report.check import print_check
from edgenn.report.console import print_bundle, print_inspection
from edgenn.report.json_writer import to_json, write_json

__all__ = ["print_bundle", "print_check", "print_inspection", "to_json", "write_json"]
