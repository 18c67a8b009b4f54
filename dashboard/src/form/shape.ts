// What a field of a pipeline's JSON schema looks like to people.

export interface Schema {
  $ref?: string;
  $defs?: Record<string, Schema>;
  type?: string;
  title?: string;
  description?: string;
  default?: unknown;
  enum?: readonly (string | number)[];
  examples?: readonly string[];
  const?: unknown;
  anyOf?: readonly Schema[];
  properties?: Record<string, Schema>;
  required?: readonly string[];
  items?: Schema;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  minLength?: number;
  maxLength?: number;
  pattern?: string;
}

interface Common {
  name: string;
  title: string;
  help: string;
  standard: unknown; // what the server takes if nothing is said
  isOptional: boolean; // null is a value
}

export type Shape = Common &
  (
    | { kind: 'switch' }
    | { kind: 'choice'; choices: readonly (string | number)[] }
    | { kind: 'number'; isWhole: boolean; low?: number; high?: number }
    | { kind: 'text'; isLong: boolean; most?: number; pattern?: string; offered: readonly string[] }
    | { kind: 'group'; fields: readonly Shape[] }
    | { kind: 'json' }
  );

/** The fields of an object, in the schema's order. */
export function fieldsOf(schema: Schema, root: Schema = schema): Shape[] {
  return Object.entries(schema.properties ?? {}).map(([name, field]) => shapeOf(name, field, root));
}

export function shapeOf(name: string, given: Schema, root: Schema): Shape {
  const options = (given.anyOf ?? [given]).map((each) => resolved(each, root));
  const proper = options.filter(({ type }) => type !== 'null');
  const schema: Schema = proper.length === 1 ? { ...proper[0]! } : {};
  const common: Common = {
    name,
    title: titled(name),
    help: given.description ?? schema.description ?? '',
    standard: given.default === undefined ? schema.default : given.default, // null is one
    isOptional: proper.length < options.length,
  };
  if (schema.enum) return { ...common, kind: 'choice', choices: schema.enum };
  switch (schema.type) {
    case 'boolean':
      return { ...common, kind: 'switch' };
    case 'integer':
    case 'number':
      return { ...common, kind: 'number', isWhole: schema.type === 'integer', ...limits(schema) };
    case 'string':
      return {
        ...common,
        kind: 'text',
        isLong: (schema.maxLength ?? 0) > 1000,
        offered: schema.examples ?? [],
        ...(schema.maxLength !== undefined && { most: schema.maxLength }),
        ...(schema.pattern !== undefined && { pattern: schema.pattern }),
      };
    case 'object':
      if (schema.properties) return { ...common, kind: 'group', fields: fieldsOf(schema, root) };
  }
  return { ...common, kind: 'json' };
}

function resolved(schema: Schema, root: Schema): Schema {
  const name = schema.$ref?.split('/').at(-1);
  return name ? { ...root.$defs?.[name], ...schema } : schema;
}

function limits({ type, minimum, maximum, exclusiveMinimum, exclusiveMaximum }: Schema): {
  low?: number;
  high?: number;
} {
  const step = type === 'integer' ? 1 : 0;
  const low = minimum ?? (exclusiveMinimum === undefined ? undefined : exclusiveMinimum + step);
  const high = maximum ?? (exclusiveMaximum === undefined ? undefined : exclusiveMaximum - step);
  return { ...(low !== undefined && { low }), ...(high !== undefined && { high }) };
}

const UNITS: Record<string, string> = {
  db: 'dB',
  hz: 'Hz',
  s: 's',
  min: 'min',
  lufs: 'LUFS',
  dbtp: 'dBTP',
  fps: 'FPS',
};

/** gain_db: Gain (dB). */
function titled(name: string): string {
  const words = name.split(/[_-]/);
  const last = words.at(-1)!;
  const unit = UNITS[last];
  if (unit && words.length > 1) words.pop();
  const text = words.join(' ');
  const capital = UNITS[text] ?? text.charAt(0).toUpperCase() + text.slice(1);
  return unit && UNITS[text] === undefined ? `${capital} (${unit})` : capital;
}

/** Stands for a text that is no JSON yet: it is not sent. */
export const BROKEN = Symbol('no JSON');

/** What is wrong with a value, before the server is asked; '' if nothing is. */
export function fault(shape: Shape, value: unknown): string {
  if (value === BROKEN) return 'This is not JSON yet.';
  if (value === undefined || value === null) return '';
  if (shape.kind === 'number') {
    if (typeof value !== 'number' || Number.isNaN(value)) return 'This is a number.';
    if (shape.isWhole && !Number.isInteger(value)) return 'This is a whole number.';
    if (shape.low !== undefined && value < shape.low) return `At least ${shape.low}.`;
    if (shape.high !== undefined && value > shape.high) return `At most ${shape.high}.`;
  }
  if (shape.kind === 'text' && typeof value === 'string') {
    if (shape.most !== undefined && value.length > shape.most) return `At most ${shape.most} characters.`;
    if (shape.pattern !== undefined && !new RegExp(shape.pattern, 'u').test(value))
      return `This is not of the form ${shape.pattern}`;
  }
  if (shape.kind === 'group' && typeof value === 'object')
    return (
      shape.fields.map((each) => fault(each, (value as Record<string, unknown>)[each.name])).find(Boolean) ??
      ''
    );
  return '';
}
