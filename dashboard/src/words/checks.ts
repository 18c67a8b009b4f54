// What was measured of a finished file, in words: reports of films, and of narrations.
import { span } from './times';

type Json = Record<string, unknown>;

const of = (thing: unknown, ...path: (string | number)[]): unknown =>
  path.reduce<unknown>((found, name) => (found as Json | null | undefined)?.[name], thing);
const number = (thing: unknown, ...path: (string | number)[]): number | undefined => {
  const found = of(thing, ...path);
  return typeof found === 'number' ? found : undefined;
};
const fixed = (value: number | undefined, digits: number, unit: string): string | undefined =>
  value === undefined ? undefined : `${value.toFixed(digits)} ${unit}`;

/** Names and values, in the order in which people ask. */
export function checks(result: Json | null | undefined): [name: string, value: string][] {
  const report = of(result, 'report');
  if (!report) return [];
  const streams = (of(report, 'info', 'streams') as Json[] | undefined) ?? [];
  const picture = streams.find(({ kind, attached_picture: cover }) => kind === 'video' && !cover);
  const sound = streams.find(({ kind }) => kind === 'audio');
  const measured = of(report, 'measured');
  const loudness = of(report, 'audio', 'loudness') ?? of(measured, 'loudness') ?? measured;
  const seconds = number(report, 'info', 'duration') ?? number(report, 'duration', 'made');
  const frames = number(report, 'video', 'frames');
  const rows: [string, string | undefined][] = [
    ['Length', seconds === undefined ? undefined : span(seconds)],
    ['Picture', picture && `${picture.width}×${picture.height}, ${picture.fps} fps, ${picture.codec}`],
    ['Projection', of(report, 'info', 'projection') as string | undefined],
    ['Frames decoded', frames?.toLocaleString()],
    ['Black frames', number(report, 'video', 'luma', 'black_frames')?.toLocaleString()],
    ['Frames that stand still', number(report, 'video', 'luma', 'still_frames')?.toLocaleString()],
    ['Sound', sound && `${sound.codec}, ${Number(sound.rate) / 1000} kHz, ${sound.layout}`],
    ['Loudness', fixed(number(loudness, 'integrated'), 1, 'LUFS')],
    ['True peak', fixed(number(loudness, 'true_peak') ?? number(loudness, 'truePeak'), 1, 'dBTP')],
    ['Faults in decoding', number(report, 'error_count')?.toLocaleString()],
  ];
  return rows.filter((row): row is [string, string] => typeof row[1] === 'string');
}

/** How the film of a result is to be looked at, if not flat. */
export function sphere(result: Json | null | undefined): { isStereo: boolean } | undefined {
  const info = of(result, 'report', 'info');
  if (of(info, 'projection') !== 'equirectangular') return undefined;
  return { isStereo: of(info, 'stereo_mode') === 'top-bottom' };
}
