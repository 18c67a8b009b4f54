"""Every setting: unit, default, environment name, one line of help.

A setting is taken from the first of these that has it: a command-line flag, the environment
(`RENDERKILN_…`), `renderkiln.toml` in the current folder, `renderkiln.toml` in the home folder, its default.
Written on pydantic alone: pydantic-settings more than doubles the start of every command.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

import platformdirs
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError

from renderkiln.domain.errors import UsageError

PREFIX = "RENDERKILN_"
FILE = "renderkiln.toml"
GIB = 2**30
_LOGIN = re.compile(r"(?<=://)[^/?#]*@")  # user and password
_QUERY = re.compile(r"(?<=://)(?P<before>[^?#]*)\?.*")


def _usable_cores() -> int:
    """Cores this process may run on; a container or taskset may allow fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _default_home() -> Path:
    return platformdirs.user_data_path("renderkiln", appauthor=False)


def _expanded(value: object) -> object:
    return Path(value).expanduser() if isinstance(value, str | Path) else value


def _split(value: object) -> object:
    return value.split(os.pathsep) if isinstance(value, str) else value


def _listed(value: object) -> object:
    if not isinstance(value, str):
        return value
    return [each.strip() for each in value.split(",") if each.strip()]


def _from_json(value: object) -> object:
    return json.loads(value) if isinstance(value, str) else value


Folder = Annotated[Path, BeforeValidator(_expanded)]


class RetrySetting(BaseModel):
    """What is to be different from a pipeline's own `Retry`; times are in seconds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    attempts: int | None = Field(None, ge=1)
    first: float | None = Field(None, ge=0)
    factor: float | None = Field(None, ge=1)
    cap: float | None = Field(None, ge=0)


class Settings(BaseModel):
    """Build it with `load()`; a plain `Settings(...)` takes defaults for what is not given."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)

    home: Folder = Field(
        default_factory=_default_home,
        description="Folder for everything Renderkiln keeps: work, cache, logs",
    )
    database: str | None = Field(
        None,
        description="Where jobs are kept: a postgresql:// URL; by default a SQLite file in the home folder",
    )
    output_dir: Folder = Field(
        Path("renderkiln-output"),
        description="Folder for finished files, from the current folder; made if it is missing",
        json_schema_extra={"also": "RENDER_OUTPUT_DIR"},
    )
    ffmpeg: Folder | None = Field(
        None, description="FFmpeg binary; by default the bundled one, then the one on PATH"
    )
    cores: int = Field(
        default_factory=_usable_cores, ge=1, le=1024, description="Cores a render may keep busy"
    )
    nice: int = Field(0, ge=0, le=19, description="How far renders step back for other programs (0 … 19)")
    max_duration: float = Field(12 * 3600.0, gt=0, description="Longest input taken, in seconds")
    max_file_size: int = Field(64 * GIB, gt=0, description="Largest input file taken, in bytes")
    max_pixels: int = Field(8192 * 8192, gt=0, description="Largest picture taken, in pixels")
    fonts: Annotated[tuple[Folder, ...], BeforeValidator(_split)] = Field(
        (), description=f"Font files asked before the bundled ones, separated by '{os.pathsep}'"
    )
    stall_timeout: float = Field(
        60.0, gt=0, description="Seconds without a sign of life after which FFmpeg counts as stalled"
    )
    target_lufs: float = Field(
        -16.0,
        ge=-40,
        le=-5,
        description="Integrated loudness of narrations, in LUFS",
        json_schema_extra={"also": "TARGET_LUFS"},
    )
    max_duration_minutes: float = Field(
        15.0,
        gt=0,
        le=1440,
        description="Longest narration made, in minutes",
        json_schema_extra={"also": "MAX_DURATION_MINUTES"},
    )
    tts_chunk_size: int = Field(
        4500,
        ge=100,
        le=40_000,
        description="Most characters sent to a speech provider at once, if it takes so many",
        json_schema_extra={"also": "TTS_CHUNK_SIZE"},
    )
    tts_fallback: Annotated[tuple[str, ...], BeforeValidator(_listed)] = Field(
        (),
        description=(
            "Voices that take a whole narration over, in this order, when the speech provider asked for is "
            "unavailable: openai:nova,espeak:en"
        ),
    )
    openai_api_key: SecretStr | None = Field(
        None, description="Key of OpenAI, for voices openai:…", json_schema_extra={"also": "OPENAI_API_KEY"}
    )
    openai_base_url: str = Field(
        "https://api.openai.com/v1",
        description="Where an OpenAI-compatible speech service answers",
        json_schema_extra={"also": "OPENAI_BASE_URL"},
    )
    openai_tts_model: str = Field("gpt-4o-mini-tts", description="Speech model asked of it")
    openai_tts_instructions: str = Field("", description="How it is to speak, in words")
    elevenlabs_api_key: SecretStr | None = Field(
        None,
        description="Key of ElevenLabs, for voices elevenlabs:…",
        json_schema_extra={"also": "ELEVENLABS_API_KEY"},
    )
    elevenlabs_base_url: str = Field(
        "https://api.elevenlabs.io", description="Where ElevenLabs, or a service like it, answers"
    )
    elevenlabs_model: str = Field("eleven_multilingual_v2", description="Speech model asked of it")
    openai_tts_cost: float = Field(
        0.000015, ge=0, le=1e6, description="What it takes for a character, in the currency (this is in USD)"
    )
    elevenlabs_cost: float = Field(
        0.0001, ge=0, le=1e6, description="What it takes for a character, in the currency (this is in USD)"
    )
    currency: str = Field(
        "USD", pattern=r"^[A-Z]{3}$", description="Currency of all prices, costs and budgets"
    )
    price_cpu_hour: float = Field(0.0, ge=0, le=1e6, description="What an hour of one core costs")
    price_gb_stored: float = Field(
        0.0,
        ge=0,
        le=1e6,
        description="What keeping a GB of finished files for a month costs; a job pays one month",
    )
    price_gb_sent: float = Field(
        0.0, ge=0, le=1e6, description="What sending a GB of finished files costs; a job pays it once"
    )
    private_urls: bool = Field(
        default=False,
        description="Take music from, and send webhooks to, this machine and private networks, too",
    )
    video_rendering: int = Field(2, ge=1, description="Jobs of the queue video-rendering at once per worker")
    audio_rendering: int = Field(2, ge=1, description="Jobs of the queue audio-rendering at once per worker")
    storage_upload: int = Field(5, ge=1, description="Jobs of the queue storage-upload at once per worker")
    event_processing: int = Field(
        10, ge=1, description="Jobs of the queue event-processing at once per worker"
    )
    video_rendering_global: int | None = Field(
        None, ge=1, description="Jobs of the queue video-rendering at once over all workers; none: no limit"
    )
    audio_rendering_global: int | None = Field(
        None, ge=1, description="Jobs of the queue audio-rendering at once over all workers; none: no limit"
    )
    storage_upload_global: int | None = Field(
        None,
        ge=1,
        description="Jobs of the queue storage-upload at once over all workers of a machine; none: no limit",
    )
    event_processing_global: int | None = Field(
        None, ge=1, description="Jobs of the queue event-processing at once over all workers; none: no limit"
    )
    retry: Annotated[Mapping[str, RetrySetting], BeforeValidator(_from_json)] = Field(
        {},
        description=(
            "How often and how soon failed jobs are tried again, by pipeline; the rest is its own way: "
            '{"visualizer": {"attempts": 5, "first": 10, "factor": 2, "cap": 3600}} (times in seconds)'
        ),
    )
    worker_id: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9_.-]{1,64}$",
        description="Name of a worker, for people; by default host and process id",
        json_schema_extra={"also": "WORKER_ID"},
    )
    max_jobs: int | None = Field(
        None,
        ge=1,
        description="Jobs at once in one worker over all its queues; none: as its queues allow",
        json_schema_extra={"also": "MAX_JOBS"},
    )
    poll_interval: float = Field(
        0.3,
        ge=0.02,
        le=60,
        description="Seconds between two looks of a worker into a queue",
        json_schema_extra={"also": "POLL_INTERVAL"},
    )
    idle_timeout: float = Field(
        0.0,
        ge=0,
        description="Seconds without work after which a worker ends; 0: never",
        json_schema_extra={"also": "IDLE_TIMEOUT"},
    )
    grace: float = Field(
        30.0,
        ge=0,
        le=86_400,
        description="Seconds that running jobs have to end when their worker is told to",
    )
    health_port: int | None = Field(
        None,
        ge=0,
        le=65535,
        description="Port on which a worker answers /health and /stats; 0: any free one, none: no port",
        json_schema_extra={"also": "HEALTH_PORT"},
    )
    metrics: bool = Field(
        default=True, description="Answer /metrics, without a key, on the ports of `serve` and of workers"
    )
    host: str = Field("127.0.0.1", description="Address on which `serve` answers")
    port: int = Field(8700, ge=0, le=65535, description="Port on which `serve` answers; 0: any free one")
    rate_limit: float = Field(
        300.0, ge=0, description="Requests a second that one key may make of the API; 0: any number"
    )
    max_open_jobs: int = Field(
        10_000, ge=1, description="Jobs of one account of the API that may wait or run at once"
    )
    max_batch: int = Field(2_000, ge=1, le=100_000, description="Jobs of one batch that the API takes")
    public_url: str | None = Field(
        None,
        pattern=r"^https?://[^\s?#@]+$",
        description=(
            "Where others reach `serve`: https://render.example.org; by default its host and port. Links, "
            "and what webhooks are told, begin with it"
        ),
    )
    signing_secret: SecretStr | None = Field(
        None,
        description=(
            "Signs the addresses of files, 16 characters or more; by default one of its own in the home "
            "folder. Machines that answer for each other need the same. Of several, with commas between "
            "them, the first signs and all are accepted"
        ),
    )
    storage: Literal["local", "s3"] = Field(
        "local", description="Where files are kept: in a folder of this machine, or in a bucket of S3"
    )
    storage_dir: Folder | None = Field(
        None, description="Folder of the local storage; by default `storage` in the home folder"
    )
    s3_bucket: str = Field("", description="Bucket for private files, and for public ones if they have none")
    s3_public_bucket: str = Field(
        "",
        description=(
            "Bucket for public files; by default one bucket has both, in the folders `private` and `public`"
        ),
    )
    s3_prefix: str = Field("", description="Folder of the buckets that is ours; by default all of them is")
    s3_endpoint: str | None = Field(
        None, description="Where the bucket is, but for AWS: https://ACCOUNT.r2.cloudflarestorage.com"
    )
    s3_region: str = Field("us-east-1", description="Region of the bucket; of R2: auto")
    s3_access_key: SecretStr | None = Field(None, description="Access key of the bucket")
    s3_secret_key: SecretStr | None = Field(None, description="Secret key of the bucket")
    s3_session_token: SecretStr | None = Field(None, description="Session token, with keys for a while only")
    s3_path_style: bool | None = Field(
        None,
        description="Whether the bucket stands in the path of URLs; by default with an endpoint, not on AWS",
    )
    s3_public_url: str | None = Field(
        None,
        pattern=r"^https?://[^\s?#@]+$",
        description="Where everybody reads the public files; by default the bucket's own address",
    )
    s3_redirect: bool = Field(
        default=True,
        description=(
            "Whether `serve` sends whoever fetches a film on to the bucket, by a signed address; false: it "
            "gives the bytes itself, for a bucket that only our machines reach"
        ),
    )
    s3_fallback_bucket: str = Field(
        "", description="Bucket that takes files while the first one does not answer or is full"
    )
    s3_fallback_endpoint: str | None = Field(
        None, description="Where that one is; it and what follows: by default as the first"
    )
    s3_fallback_region: str | None = Field(None, description="Its region")
    s3_fallback_access_key: SecretStr | None = Field(None, description="Its access key")
    s3_fallback_secret_key: SecretStr | None = Field(None, description="Its secret key")
    storage_tries: int = Field(
        5, ge=1, le=100, description="How often a bucket is asked before it counts as unavailable"
    )
    upload: Literal["auto", "always", "never"] = Field(
        "auto",
        description=(
            "Whether finished files of queued jobs leave the output folder and go to the storage; "
            "auto: if it is a bucket"
        ),
    )
    upload_visibility: Literal["private", "public"] = Field(
        "private", description="Who may read them where a job does not say it"
    )
    upload_patience: float = Field(
        600.0,
        ge=0,
        description=(
            "Seconds that files on a machine without workers wait for it to come back; then they are made "
            "anew elsewhere"
        ),
    )
    share_work: Literal["auto", "always", "never"] = Field(
        "auto",
        description=(
            "Whether what is finished of unfinished jobs goes to the storage, so that a worker on another "
            "machine goes on with it; auto: if that is a bucket and the database Postgres"
        ),
    )
    health_host: str = Field("127.0.0.1", description="Address on which a worker answers /health and /stats")
    crashes: int = Field(
        3, ge=1, description="Workers that one job may cost: then it is failed instead of tried again"
    )
    server: str | None = Field(
        None, description="URL of a server that commands speak to, instead of the database of this machine"
    )
    api_key: SecretStr | None = Field(
        None, description="Key for that server, as made by `renderkiln keys create` there"
    )
    log_format: Literal["text", "json"] = Field(
        "text", description="How a worker logs on stderr: lines for people, or a JSON object per line"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="The least important line that a worker logs"
    )
    keep_jobs: float = Field(
        90.0, gt=0, description="Days after its end that the record of a job is kept; its files stay"
    )
    keep_events: float = Field(30.0, gt=0, description="Days that events and their deliveries are kept")
    keep_completed: int = Field(
        100, ge=0, description="Entries of completed jobs that the queue engine keeps"
    )
    keep_failed: int = Field(500, ge=0, description="Entries of failed jobs that the queue engine keeps")
    cache_size: int = Field(
        5 * GIB, ge=0, description="Largest size of the cache folder, in bytes; what was used last stays"
    )
    keep_work: bool = Field(
        default=False, description="Keep the work folders of finished jobs, for a closer look"
    )

    @property
    def storage_folder(self) -> Path:
        """Where the local storage is."""
        return (self.storage_dir or self.home / "storage").absolute()

    @classmethod
    def load(
        cls, *, environ: Mapping[str, str] | None = None, folder: Path | None = None, **flags: Any
    ) -> Self:
        """The settings of this call. A flag that is None counts as not given.

        Raises UsageError naming the setting, and where it came from, if a value or a name is wrong.
        """
        environ = os.environ if environ is None else environ
        given = {key: value for key, value in flags.items() if value is not None}
        above = _from_file(cls, (folder or Path()) / FILE) | _from_environment(cls, environ) | _marked(given)
        home = _validated(cls, {k: v for k, v in above.items() if k == "home"}).home
        return _validated(cls, _from_file(cls, home / FILE) | above)

    @classmethod
    def environment_names(cls, name: str) -> tuple[str, ...]:
        """The environment variables that set the field `name`, the strongest first.

        That of a secret may also have `_FILE` at its end and name a file that holds it.
        """
        extra = cls.model_fields[name].json_schema_extra
        also = extra.get("also") if isinstance(extra, dict) else None
        return (PREFIX + name.upper(), *([str(also)] if also else []))

    @classmethod
    def is_secret(cls, name: str) -> bool:
        """Whether the field `name` holds what nobody is to read."""
        return "SecretStr" in str(cls.model_fields[name].annotation)

    def shown(self) -> dict[str, Any]:
        """All of them as JSON values, and nothing secret: also what an address has of user and password."""

        def without(value: Any) -> Any:
            if isinstance(value, list):
                return [without(each) for each in value]
            return _LOGIN.sub("…@", _QUERY.sub(r"\g<before>?…", value)) if isinstance(value, str) else value

        return {name: without(value) for name, value in self.model_dump(mode="json").items()}


S = TypeVar("S", bound=Settings)
_Layer = dict[str, tuple[Any, str]]  # field -> (value, where it came from)


def _marked(flags: Mapping[str, Any]) -> _Layer:
    return {key: (value, f"--{key.replace('_', '-')}") for key, value in flags.items()}


def _from_environment(settings: type[Settings], environ: Mapping[str, str]) -> _Layer:
    names = [(field, name) for field in settings.model_fields for name in settings.environment_names(field)]
    files = [(field, f"{name}_FILE") for field, name in names if settings.is_secret(field)]
    held = {field: (_held(environ[name], name), name) for field, name in reversed(files) if environ.get(name)}
    return held | {field: (environ[name], name) for field, name in reversed(names) if environ.get(name)}


def _held(path: str, name: str) -> str:
    """The secret in a file, as container platforms hand secrets over."""
    try:
        return Path(path).expanduser().read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        raise UsageError(f"{name}: the secret in {path} cannot be read: {error}") from error


def _from_file(settings: type[Settings], path: Path) -> _Layer:
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"cannot read the settings in {path}: {error}") from error
    for key in values:
        if key not in settings.model_fields:
            known = ", ".join(settings.model_fields)
            raise UsageError(f"unknown setting {key!r} in {path}; known are: {known}")
    return {key: (value, f"{key} in {path}") for key, value in values.items()}


def _validated(settings: type[S], layer: _Layer) -> S:
    try:
        return settings.model_validate({key: value for key, (value, _) in layer.items()})
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        where = layer[name][1] if name in layer else name
        given = "what was given" if settings.is_secret(name) else repr(first["input"])
        raise UsageError(f"{where}: {first['msg']}, not {given}") from error
