"""Times in a project that must go together, as far as the document says how long things are."""

from __future__ import annotations

from itertools import pairwise

from renderkiln.pipelines.scenes.document.background import VideoBackground
from renderkiln.pipelines.scenes.document.layers import Layer, TextLayer
from renderkiln.pipelines.scenes.document.mistakes import Found, Where
from renderkiln.pipelines.scenes.document.project import Project, Scene

_TINY = 1e-6  # seconds: 0.1 + 0.2 is no more than 0.3


def least_seconds(project: Project) -> tuple[float, bool]:
    """(how many seconds the film lasts at least, whether that is known to be all) of all scenes in order.

    A scene that is as long as its voice or clip counts with the rests around its voice, or with its
    transitions where they take longer.
    """
    taking = [_taking(project, scene) for scene in project.scenes[:-1]]
    around = [before + after for before, after in pairwise([0.0, *taking, 0.0])]
    lasting = [
        max(_rests(scene), transitions) if scene.duration is None else scene.duration
        for scene, transitions in zip(project.scenes, around, strict=True)
    ]
    return sum(lasting) - sum(taking), all(scene.duration is not None for scene in project.scenes)


def wrong_times(project: Project) -> Found:
    """Scenes without a length, what is not within its scene, and transitions longer than scenes."""
    for number, scene in enumerate(project.scenes):
        for where, message in _scene(scene):
            yield ("scenes", number, *where), message
    yield from _transitions(project)


def _scene(scene: Scene) -> Found:
    seconds, voice = scene.duration, scene.voice
    if seconds is None and voice is None and not isinstance(scene.background, VideoBackground):
        yield ("duration",), "is missing: there is no voice and no clip behind it that the scene could last"
    if seconds is not None and voice is not None and voice.start >= seconds:
        yield ("voice", "start"), _beyond("begins", voice.start, seconds)
    for number, layer in enumerate(scene.layers):
        for where, message in _layer(layer, seconds):
            yield ("layers", number, *where), message


def _layer(layer: Layer, seconds: float | None) -> Found:
    if layer.enter is not None and layer.enter.type == "typewriter" and not isinstance(layer, TextLayer):
        yield ("enter", "type"), "a typewriter is for texts: choose another word"
    if seconds is not None and layer.start >= seconds:
        yield ("start",), _beyond("begins", layer.start, seconds)
    elif seconds is not None and layer.end is not None and layer.end > seconds + _TINY:
        yield ("end",), _beyond("ends", layer.end, seconds)
    elif (end := seconds if layer.end is None else layer.end) is not None:
        yield from _motions(layer, end - layer.start)


def _beyond(does: str, at: float, seconds: float) -> str:
    return f"{does} at {at:g} s, but the scene ends at {seconds:g} s"


def _motions(layer: Layer, seconds: float) -> Found:
    takes = {name: motion.duration for name in ("enter", "exit") if (motion := getattr(layer, name))}
    if sum(takes.values()) > seconds + _TINY:
        told = " and ".join(f"{name} {each:g} s" for name, each in takes.items())
        yield (), f"is seen for {seconds:g} s, but its motions take longer: {told}"


def _transitions(project: Project) -> Found:
    """Both scenes are seen during a transition: it takes of both."""
    scenes = project.scenes
    taking = [_taking(project, scene) for scene in scenes[:-1]]
    for number, took in enumerate(taking):
        where: Where = ("transition",) if scenes[number].transition is None else _of(number, "transition")
        for of in (number, number + 1):
            seconds = scenes[of].duration
            if seconds is not None and took > seconds + _TINY:
                yield where, f"takes {took:g} s, but {_called(scenes[of], of)} lasts {seconds:g} s"
    for number, (before, after) in enumerate(pairwise(taking), 1):
        seconds = scenes[number].duration
        if seconds is not None and max(before, after) <= seconds + _TINY < before + after:
            both = f"{before:g} s into it and {after:g} s out of it"
            yield _of(number, "duration"), f"is {seconds:g} s, but the transitions take {both}"


def _taking(project: Project, scene: Scene) -> float:
    change = scene.transition or project.transition
    return 0.0 if change.type == "cut" else change.duration


def _of(number: int, field: str) -> Where:
    return ("scenes", number, field)


def _called(scene: Scene, number: int) -> str:
    return f"scenes[{number}]" + (f" ({scene.id})" if scene.id else "")


def _rests(scene: Scene) -> float:
    return scene.voice.start + scene.voice.rest if scene.voice is not None else 0.0
