// What an address asks for: /submit?pipeline=visualizer&template=ring&seed=3
import type { Shape } from '../../form/shape';

/** The params of it that the pipeline has. What cannot be read as such is left out. */
export function given(fields: readonly Shape[], address: URLSearchParams): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const field of fields) {
    const text = address.get(field.name);
    if (text !== null) found[field.name] = read(field, text);
  }
  return found;
}

function read(field: Shape, text: string): unknown {
  if (field.kind === 'text') return text;
  if (field.kind === 'choice') return field.choices.find((each) => String(each) === text);
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
