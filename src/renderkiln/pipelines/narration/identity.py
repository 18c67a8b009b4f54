"""What decides the sound of a narration besides its params: who speaks, and the music."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from renderkiln.domain.fingerprint import file_sha256
from renderkiln.pipelines.contract import Services
from renderkiln.pipelines.narration.params import NarrationParams


def identity(params: NarrationParams, services: Services) -> Mapping[str, Any]:
    """Plain values; no key of a provider is in them."""
    music = params.layers.background
    speech = services.speech
    return {
        "speech": [
            params.voice,
            services.fallback,
            speech.openai_base_url,
            speech.openai_model,
            speech.openai_instructions,
            speech.elevenlabs_base_url,
            speech.elevenlabs_model,
            speech.chunk_size,
        ],
        "target": services.target_lufs if params.target_lufs is None else params.target_lufs,
        "music": _content(music.track) if music is not None and music.enabled and music.track else None,
        "recording": _content(params.voice.partition(":")[2]) if params.provider == "file" else None,
    }


def _content(place: str) -> str:
    """Of a file, its hash; of what is not there, or lies behind a URL, its place."""
    path = Path(place)
    return file_sha256(path) if "://" not in place and path.is_file() else place
