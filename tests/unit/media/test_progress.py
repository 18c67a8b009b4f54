from __future__ import annotations

from renderkiln.media.ffmpeg.progress import Progress, parse

BLOCKS = """\
frame=60
fps=29.97
stream_0_0_q=20.0
bitrate=1200.1kbits/s
total_size=262192
out_time_us=2000000
out_time_ms=2000000
out_time=00:00:02.000000
dup_frames=0
drop_frames=0
speed=1.99x
progress=continue
total_size=N/A
out_time_us=N/A
out_time=N/A
speed=N/A
progress=end
"""


def test_blocks_become_reports() -> None:
    assert list(parse(BLOCKS.splitlines())) == [
        Progress(frame=60, fps=29.97, seconds=2.0, size=262192, speed=1.99),
        Progress(done=True),
    ]


def test_a_block_that_is_cut_off_is_not_reported() -> None:
    assert list(parse(["frame=1", "out_time_us=5"])) == []


def test_lines_of_others_and_negative_times_do_no_harm() -> None:
    lines = ["hello", "", "=", "out_time_us=-46440", "progress=continue"]
    assert list(parse(lines)) == [Progress(seconds=0.0)]
