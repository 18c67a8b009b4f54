"""One render, to be measured from outside: `python rendering.py WAY SONG FOLDER PARAMS`, PARAMS as JSON.

WAY is `plain`: the stages called one after another, no engine; or `engine`: the same by `Renderkiln.run`.
Prints the CPU seconds that the render took once everything was imported.
"""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # as stages have it
way, song, folder, params = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), json.loads(sys.argv[4])

from measure import measured
from renderkiln.app import Renderkiln
from renderkiln.settings import Settings


def plain(song: Path, folder: Path, params: dict[str, Any]) -> float:
    from renderkiln.media import kernels

    settings = Settings.load(home=folder / "home")
    kernels.use_cache(settings.home / "cache")

    from renderkiln.media.ffmpeg import binary
    from renderkiln.pipelines.contract import Result, Services
    from renderkiln.pipelines.visualizer import Visualizer
    from renderkiln.testing import FakeContext

    for module in Visualizer.preload:
        import_module(module)
    services = Services(
        binary.find().absolute(), settings.home / "cache", folder / "out", cores=settings.cores
    )
    wanted = Visualizer.Params.model_validate(params)
    results: dict[str, Result] = {}
    with measured() as cost:
        for stage in Visualizer().stages(wanted):
            context = FakeContext(folder, wanted, inputs=[song], results=results, services=services)
            made = stage.run(context)
            files = {name: context.workdir / path for name, path in made.files.items()}
            results[stage.name] = Result(made.values, files)
    return cost.cpu


def engine(song: Path, folder: Path, params: dict[str, Any]) -> float:
    with measured() as cost, Renderkiln.open(Settings.load(home=folder / "home")) as kiln:
        report = kiln.run(kiln.job("visualizer", song, params), output=folder / "out", reuse=False)
    if not report.succeeded:
        raise SystemExit(f"the job failed: {report.error}")
    return cost.cpu


print({"plain": plain, "engine": engine}[way](song, folder, params))
