"""The peer: MoviePy 2 making the film that `scenes.py` describes."""

from __future__ import annotations

import sys

from moviepy import ColorClip, CompositeVideoClip, ImageClip, TextClip, vfx

count, seconds, fade, fps = int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
font, target, *photos = sys.argv[5:]

scenes = []
for number in range(1, count + 1):
    photo = ImageClip(photos[number % len(photos)], duration=seconds)
    if number % 2 == 0:
        photo = photo.resized(lambda t: 1 + 0.15 * t / seconds).with_position("center")
    box = (
        ColorClip((1500, 260), color=(0, 0, 0), duration=seconds).with_opacity(0.56).with_position((96, 410))
    )
    title = TextClip(font, f"A title of scene {number}", font_size=96, color="white", duration=seconds)
    title = title.with_position((136, 450)).with_effects([vfx.CrossFadeIn(0.6)])
    line = TextClip(font, "A line of text below it", font_size=48, color="white", duration=seconds)
    scene = CompositeVideoClip([photo, box, title, line.with_position((136, 590))], size=(1920, 1080))
    scene = scene.with_start((number - 1) * (seconds - fade))
    scenes.append(scene.with_effects([vfx.CrossFadeIn(fade)]) if number > 1 else scene)
film = CompositeVideoClip(scenes, size=(1920, 1080))
film.write_videofile(target, fps=fps, codec="libx264", preset="veryfast", threads=4, logger=None)
