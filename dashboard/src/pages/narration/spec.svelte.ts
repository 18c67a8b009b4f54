// The narration that is being written, in the words of the pipeline. Kept in this browser.
import { untrack } from 'svelte';

const PLACE = 'narration';
type JSONObject = Record<string, unknown>;

export const BEGINNING = `Welcome. Find a place where you can sit in peace. [pause 2s]

Breathe in, slowly. [pause 3s]
And breathe out. [pause 4s]`;

export class Spec {
  params = $state.raw<JSONObject>(read());

  constructor() {
    $effect(() => {
      const text = JSON.stringify(this.params);
      const timer = setTimeout(() => localStorage.setItem(PLACE, text), 300);
      return () => {
        clearTimeout(timer);
        localStorage.setItem(PLACE, text);
      };
    });
  }

  get script(): string {
    return String(this.params.script ?? '');
  }

  /** Set a field; undefined: as the pipeline has it. */
  set(name: string, value: unknown): void {
    this.params = changed(this.params, name, value);
  }

  get layers(): Record<string, JSONObject | undefined> {
    return (this.params.layers ?? {}) as Record<string, JSONObject | undefined>;
  }

  setLayer(name: string, value: unknown): void {
    const layers = changed(this.layers, name, value);
    this.set('layers', Object.keys(layers).length ? layers : undefined);
  }

  /** Begin anew. */
  clear(): void {
    untrack(() => (this.params = { script: BEGINNING }));
  }

  /** The same with only the beginning of its script, as the smallest file: to be heard soon. */
  small(beginning: string): JSONObject {
    const { duration_min: _, ...rest } = this.params;
    const output = { ...(this.params.output as JSONObject | undefined), format: 'mp3', quality: 'draft' };
    return { ...rest, script: beginning, output };
  }
}

function changed(all: JSONObject, name: string, value: unknown): JSONObject {
  const { [name]: _, ...rest } = all;
  return value === undefined ? rest : { ...rest, [name]: value };
}

function read(): JSONObject {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(PLACE) ?? '');
    if (typeof kept === 'object' && kept !== null) return kept as JSONObject;
  } catch {
    // nothing was kept, or nothing of ours
  }
  return { script: BEGINNING };
}
