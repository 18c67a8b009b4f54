"""What a pipeline is, for those who write one.

A pipeline names its stages; a stage is a plain function `run(ctx) -> Result`. The engine runs the stages of
a job in order, each in a child process, and skips a stage whose result is already recorded for the same
fingerprint and whose files still exist. A stage ends by returning a `Result`, or by raising `Temporary` (try
again) or `Permanent` (never again).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from pydantic import BaseModel

from renderkiln.domain.artifact import Artifact
from renderkiln.domain.asset import Asset
from renderkiln.domain.retry import Retry
from renderkiln.media.ffmpeg.command import Command
from renderkiln.media.ffmpeg.progress import Progress
from renderkiln.media.ffmpeg.reader import Reader
from renderkiln.media.ffmpeg.run import Feed, Finished
from renderkiln.media.speech.settings import SpeechSettings

if TYPE_CHECKING:
    from renderkiln.media.frames.image import Pixels  # brings Skia, which takes a while

JSON = Any  # what json.dumps takes
Item = TypeVar("Item")


@dataclass(frozen=True)
class Result:
    """What a stage leaves behind: small JSON values, and files inside the work folder by name.

    The engine records both, with each file's size and SHA-256, as the stage's checkpoint.
    """

    values: Mapping[str, JSON] = field(default_factory=dict)
    files: Mapping[str, Path] = field(default_factory=dict)


@dataclass(frozen=True)
class Limits:
    """What a job may ask for at most."""

    duration: float = 12 * 3600.0  # seconds of media
    file_size: int = 64 * 2**30  # bytes of one input
    pixels: int = 8192 * 8192  # of one picture
    narration: float = 15 * 60.0  # seconds that are made


@dataclass(frozen=True)
class Services:
    """What a pipeline may use of the house it runs in. Plain data: it crosses into child processes."""

    ffmpeg: Path
    cache: Path  # a folder that outlives jobs: compiled kernels, measured encoders
    output: Path  # where finished files of this job go
    cores: int = 2
    nice: int = 0
    limits: Limits = field(default_factory=Limits)
    fonts: tuple[Path, ...] = ()  # the user's own font files, asked before the bundled ones
    target_lufs: float = -16.0  # integrated loudness of narrations that ask for none
    speech: SpeechSettings = field(default_factory=SpeechSettings)
    fallback: tuple[str, ...] = ()  # voices, as provider:voice, that take over from an unavailable provider
    private_urls: bool = False  # take files from URLs of this machine and of private networks


@dataclass(frozen=True)
class InputFacts:
    """What a file says of itself before anybody opens it for a job; None where it does not tell."""

    size: int  # bytes
    seconds: float | None = None
    width: int | None = None
    height: int | None = None
    fps: float | None = None


@dataclass(frozen=True)
class JobFacts:
    """What a stage may know about its job."""

    id: str
    created_at: datetime  # aware; its date in local time names the output
    attempt: int = 1
    reuse: bool = True  # what other jobs have made may be taken; not with --no-cache


class StageContext(Protocol):
    """A stage's only door to the outside."""

    job: JobFacts
    params: Any  # the pipeline's validated Params
    inputs: Sequence[Asset]
    assets: Mapping[str, Asset]  # those that `Pipeline.files` names, by what they are called there
    results: Mapping[str, Result]  # of the earlier stages; file paths are absolute here
    workdir: Path
    services: Services
    log: logging.Logger
    finished_parts: Mapping[str, Result]  # this stage's parts that an earlier attempt already finished

    def progress(self, fraction: float, message: str = "", **facts: JSON) -> None:
        """Say how far this stage is (0 … 1); `facts` such as `fps=43.1` are shown beside it.

        Raises Stopped when the job was cancelled or superseded. Cheap: call it as often as convenient.
        """

    def show(self, look: Callable[[], Pixels]) -> None:
        """Let people see what is being made: RGB of shape (h, w, 3), uint8, some 500 pixels wide.

        `look` is called every few seconds: cheap, to be called as often as convenient.
        """

    def warn(self, code: str, message: str) -> None:
        """Tell the user something that does not fail the job; it appears in the result, once per code."""

    def paid(self, amount: float) -> None:
        """Note what a service was paid for this stage, in the currency of the settings; also if it fails."""

    def run_ffmpeg(self, command: Command, on_progress: Callable[[Progress], None] | None = None) -> Finished:
        """Run FFmpeg in this stage's process group. Raises FFmpegFailed, FFmpegStalled, Stopped."""

    def feed_ffmpeg(self, command: Command) -> Feed:
        """Start FFmpeg on data that the stage writes to it; a context manager. Raises as `run_ffmpeg`."""

    def read_ffmpeg(self, command: Command) -> Reader:
        """Start FFmpeg for the stage to read from its stdout; a context manager. Raises as `run_ffmpeg`."""

    def part_done(self, key: str, result: Result) -> None:
        """Record one part of this stage as a checkpoint, at once and durably."""

    def parts(
        self, items: Mapping[str, Item], run: Callable[[Item], Result], *, workers: int = 1
    ) -> dict[str, Result]:
        """Run the parts that are not finished yet, several at once, each a checkpoint; all results by key."""


@dataclass(frozen=True)
class Stage:
    """A named, weighted, resumable step. `run` is a module-level function.

    `weight` is relative to the other stages' weights. An `optional` stage that fails is left out and named
    in the result. `isolated=False` runs a light stage in the engine's own process.
    """

    name: str
    weight: float
    run: Callable[[Any], Result]
    message: str = ""  # what people read while it runs: "Rendering frames"
    optional: bool = False
    retry: Retry | None = None
    isolated: bool = True


class Pipeline(Protocol):
    """A kind of job. Found through the entry point group `renderkiln.pipelines`.

    It may say how much work its jobs are, so that their time is known before; without these two, bytes of
    input are what counts:

        def expects(self, params, inputs: Sequence[InputFacts], services: Services) -> Work
        def did(self, params, results: Mapping[str, Result]) -> Work | None

    `did` is asked when a job has been completed that began anew; None means that it is no measure, because
    much of it was taken from other jobs. Both name the same `kind` and `unit` for the same work.

    Also `visibility(self, params) -> "public" | "private" | None`: who may read its files where they are
    stored; None leaves that to the settings.
    """

    name: str
    version: int  # raise it when the same params would give another output
    queue: str  # video-rendering, audio-rendering or event-processing
    takes_file: bool  # whether a job has an input; without, its params say it all
    retry: Retry
    preload: tuple[str, ...]  # modules its stages need, loaded once for all of them
    Params: type[BaseModel]

    def stages(self, params: Any) -> Sequence[Stage]:
        """The stages of a job with these params, in order."""

    def fingerprint(self, params: Any, services: Services) -> Mapping[str, JSON]:
        """What besides params and inputs decides the output: the FFmpeg build, template versions, fonts."""

    def files(self, params: Any) -> Sequence[str]:
        """Every file that these params name: paths, URLs, assets. Jobs over HTTP may name no paths."""

    def summary(self, results: Mapping[str, Result]) -> Mapping[str, JSON]:
        """The job's result as people and programs read it, from the results of all its stages."""

    def artifacts(self, results: Mapping[str, Result]) -> Sequence[Artifact]:
        """The finished files."""
