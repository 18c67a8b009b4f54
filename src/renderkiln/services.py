"""What the stages of a job may use, by the settings."""

from __future__ import annotations

from pathlib import Path

from renderkiln.media.ffmpeg import binary
from renderkiln.media.speech.settings import SpeechSettings
from renderkiln.pipelines.contract import Limits, Services
from renderkiln.settings import Settings


def services_of(settings: Settings, output: Path | None = None) -> Services:
    """Finished files go to `output`, else to the settings' own folder. Raises MediaError without FFmpeg."""
    return Services(
        ffmpeg=binary.find(settings.ffmpeg).absolute(),
        cache=settings.home.absolute() / "cache",
        output=(output or settings.output_dir).absolute(),
        cores=settings.cores,
        nice=settings.nice,
        limits=Limits(
            settings.max_duration,
            settings.max_file_size,
            settings.max_pixels,
            narration=settings.max_duration_minutes * 60,
        ),
        fonts=tuple(font.absolute() for font in settings.fonts),
        target_lufs=settings.target_lufs,
        speech=speech_settings(settings),
        fallback=settings.tts_fallback,
        private_urls=settings.private_urls,
    )


def speech_settings(settings: Settings) -> SpeechSettings:
    """What speech providers are told."""
    openai, elevenlabs = settings.openai_api_key, settings.elevenlabs_api_key
    return SpeechSettings(
        openai_key=openai.get_secret_value() if openai else "",
        openai_base_url=settings.openai_base_url,
        openai_model=settings.openai_tts_model,
        openai_instructions=settings.openai_tts_instructions,
        openai_cost_per_character=settings.openai_tts_cost,
        elevenlabs_key=elevenlabs.get_secret_value() if elevenlabs else "",
        elevenlabs_base_url=settings.elevenlabs_base_url,
        elevenlabs_model=settings.elevenlabs_model,
        elevenlabs_cost_per_character=settings.elevenlabs_cost,
        chunk_size=settings.tts_chunk_size,
    )
