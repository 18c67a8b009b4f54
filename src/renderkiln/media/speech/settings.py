"""What the speech providers need to know: apart from their contract, so that handing it on loads no NumPy."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class SpeechSettings:
    """What the providers need to know, as plain data. Costs are in USD per character of text.

    `timeout` is for one request in all, in seconds; `chunk_size` the most characters to speak at once.
    """

    espeak_rate: int = 160  # words a minute
    espeak_pitch: int = 45  # 0 to 99
    openai_key: str = field(default="", repr=False)
    openai_base_url: str = "https://api.openai.com/v1"
    openai_model: str = "gpt-4o-mini-tts"
    openai_instructions: str = ""
    openai_cost_per_character: float = 0.000015
    elevenlabs_key: str = field(default="", repr=False)
    elevenlabs_base_url: str = "https://api.elevenlabs.io"
    elevenlabs_model: str = "eleven_multilingual_v2"
    elevenlabs_seed: int = 0
    elevenlabs_cost_per_character: float = 0.0001
    timeout: float = 120.0
    chunk_size: int = 4500
