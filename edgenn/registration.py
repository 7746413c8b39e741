"""Imports every module of a package, for those that register what they hold."""

import importlib
import pkgutil
from types import ModuleType


def import_modules(package: ModuleType) -> None:
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")
