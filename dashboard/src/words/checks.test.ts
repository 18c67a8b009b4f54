import { expect, test } from 'vitest';
import { checks, sphere } from './checks';

const film = {
  report: {
    info: {
      duration: 6,
      projection: 'equirectangular',
      stereo_mode: 'top-bottom',
      streams: [
        { kind: 'video', codec: 'h264', width: 640, height: 360, fps: '30', attached_picture: false },
        { kind: 'audio', codec: 'aac', rate: 48000, layout: 'stereo' },
      ],
    },
    video: { frames: 180, luma: { black_frames: 0, still_frames: 2 } },
    audio: { loudness: { integrated: -20.04, true_peak: -6.81 } },
    error_count: 0,
  },
};

test('a film says what was measured of it', () => {
  expect(Object.fromEntries(checks(film))).toEqual({
    Length: '6.0 s',
    Picture: '640×360, 30 fps, h264',
    Projection: 'equirectangular',
    'Frames decoded': '180',
    'Black frames': '0',
    'Frames that stand still': '2',
    Sound: 'aac, 48 kHz, stereo',
    Loudness: '-20.0 LUFS',
    'True peak': '-6.8 dBTP',
    'Faults in decoding': '0',
  });
  expect(sphere(film)).toEqual({ isStereo: true });
});

test('what has no report says nothing', () => {
  expect(checks(null)).toEqual([]);
  expect(checks({ report: { title: 'x' } })).toEqual([]);
  expect(sphere({})).toBeUndefined();
});
