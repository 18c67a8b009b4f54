"""What a call can ask of the narration: scripts or specs, and flags that count for all of them."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from renderkiln.cli.options import kind_of, options_of
from renderkiln.cli.orders import Form, Order, pair
from renderkiln.domain.errors import UsageError
from renderkiln.pipelines.narration import params as narration
from renderkiln.pipelines.narration.params import NarrationParams
from renderkiln.pipelines.narration.spelling import respelled

F = TypeVar("F", bound=Callable[..., Any])

HELP = """Turn scripts into mastered audio.

SCRIPTS are texts to be spoken, or JSON specs with everything in them; - reads one from stdin. A flag counts
for every script and more than what its spec says. [pause 3s] in a text is a rest, a blank line a short one,
and a line that begins with # opens a chapter.
"""

VOICE = ("voice", "language", "speed", "duration_min", "title", "artist", "album")
MASTER = ("target_lufs", "ceiling_dbtp", "seed")
STDIN = Path("-")
MAX_BYTES = 2_000_000

# Flag: the layer and field that it sets. A layer that is named by a flag is heard.
LAYERS: Mapping[str, tuple[str, str, type[narration.Layer]]] = {
    "music": ("background", "track", narration.Background),
    "music_gain_db": ("background", "gain_db", narration.Background),
    "duck_db": ("background", "duck_db", narration.Background),
    "solfeggio": ("solfeggio", "hz", narration.Solfeggio),
    "solfeggio_gain_db": ("solfeggio", "gain_db", narration.Solfeggio),
    "binaural": ("binaural", "band", narration.Binaural),
    "beat_hz": ("binaural", "beat_hz", narration.Binaural),
    "carrier_hz": ("binaural", "carrier_hz", narration.Binaural),
    "binaural_gain_db": ("binaural", "gain_db", narration.Binaural),
    "isochronic": ("isochronic", "band", narration.Isochronic),
    "noise": ("noise", "color", narration.Noise),
    "noise_gain_db": ("noise", "gain_db", narration.Noise),
}


def _options(command: F) -> F:
    more = "Any parameter, as JSON: layers.binaural.fade_in_s=10; repeatable."
    command = click.option("--set", "more", multiple=True, metavar="KEY=VALUE", help=more)(command)
    command = options_of(NarrationParams, MASTER)(command)
    for name, (_, field, model) in reversed(list(LAYERS.items())):
        command = _layer_option(name, field, model)(command)
    command = options_of(narration.Output, ("format", "quality", "storage_location"))(command)
    command = options_of(NarrationParams, VOICE)(command)
    file = click.Path(path_type=Path, readable=False, allow_dash=True)
    return click.argument("files", nargs=-1, required=True, metavar="SCRIPT...", type=file)(command)


def _layer_option(name: str, field: str, model: type[narration.Layer]) -> Callable[[F], F]:
    schema = model.model_json_schema()["properties"][field]
    flag = "--" + name.replace("_", "-")
    return click.option(flag, name, type=kind_of(schema), default=None, help=schema.get("description"))


def _orders(files: Sequence[Path], more: Sequence[str], **given: Any) -> list[Order]:
    flags = _as_params({name: value for name, value in given.items() if value is not None})
    for each in more:
        key, value = pair(each)
        _put(flags, key.split("."), value)
    return [
        Order(file, _merged(_spec(file), flags), str(number), needed=False)
        for number, file in enumerate(files, 1)
    ]


FORM = Form("narration", HELP, _options, _orders)


def _as_params(given: Mapping[str, Any]) -> dict[str, Any]:
    params: dict[str, Any] = {}
    for name, value in given.items():
        if name in LAYERS:
            layer, field, _ = LAYERS[name]
            _put(params, ["layers", layer, field], value)
            _put(params, ["layers", layer, "enabled"], value=True)
        elif name in narration.Output.model_fields:
            _put(params, ["output", name], value)
        else:
            params[name] = value
    track = params.get("layers", {}).get("background", {}).get("track")
    if track is not None:
        params["layers"]["background"]["track"] = _located(track, Path())
    if voice := params.get("voice"):
        params["voice"] = _voice(voice, Path())
    return params


def _spec(file: Path) -> dict[str, Any]:
    """What a file asks for: a JSON object, or a text to be spoken. Raises UsageError."""
    text = _read(file)
    if file.suffix.lower() != ".json" and not (file == STDIN and text.lstrip().startswith("{")):
        return {"script": text, "title": _title(file)}
    try:
        spec = json.loads(text)
    except ValueError as error:
        raise UsageError(f"{file}: no valid JSON: {error}") from error
    if not isinstance(spec, dict):
        raise UsageError(f'{file}: a spec is a JSON object, like {{"script": "Welcome."}}')
    try:
        ours = respelled(spec)
    except ValueError as error:
        raise UsageError(f"{file}: {error}") from error
    ours.setdefault("title", _title(file))
    return _with_places(ours, file.parent)


def _read(file: Path) -> str:
    try:
        if file == STDIN:
            raw = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            with file.open("rb") as opened:
                raw = opened.read(MAX_BYTES + 1)
        text = raw.decode("utf-8-sig")
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {(error.strerror or str(error)).lower()}") from error
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{file} is no text in UTF-8: byte {error.start} is {raw[error.start]:#04x}"
        ) from error
    if len(raw) > MAX_BYTES:
        raise UsageError(f"{file} is too long: a script has at most {narration.MAX_SCRIPT} characters")
    return text


def _title(file: Path) -> str | None:
    return None if file == STDIN else file.stem


def _with_places(spec: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Paths in a spec count from where it lies."""
    match spec:  # so that a flag has one place to count more than
        case {"layers": {"voice": {"provider": str(provider), "voice_code": str(code)} as layer}}:
            if spec.setdefault("voice", f"{provider}:{code}") == f"{provider}:{code}":
                del layer["provider"], layer["voice_code"]
    if isinstance(voice := spec.get("voice"), str):
        spec["voice"] = _voice(voice, folder)
    match spec:
        case {"layers": {"background": {"track": str(track)} as music}}:
            music["track"] = _located(track, folder)
    return spec


def _located(track: str, folder: Path) -> str:
    return track if "://" in track else str((folder / Path(track).expanduser()).absolute())


def _voice(reference: str, folder: Path) -> str:
    provider, colon, place = reference.partition(":")
    return f"file:{_located(place, folder)}" if provider == "file" and colon else reference


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """`above` over `below`, field by field."""
    merged = dict(below)
    for name, value in above.items():
        match below.get(name), value:
            case {} as before, {} as after:
                merged[name] = _merged(before, after)
            case _:
                merged[name] = value
    return merged


def _put(params: dict[str, Any], path: Sequence[str], value: Any) -> None:
    *folders, last = path
    for folder in folders:
        params = params.setdefault(folder, {})
        if not isinstance(params, dict):
            raise UsageError(f"--set {'.'.join(path)}: {folder} is no group of parameters")
    params[last] = value
