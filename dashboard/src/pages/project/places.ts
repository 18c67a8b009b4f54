// Where in a JSON text something is that the server names: scenes[2] (intro).layers[0].text

/** The steps of such a path; the name of a scene is not one. */
export function steps(path: string): (string | number)[] {
  const found: (string | number)[] = [];
  for (const [, index, quoted, plain] of path
    .replace(/ \([^)]*\)/g, '')
    .matchAll(/\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]|([^.[\]]+)/g)) {
    if (index !== undefined) found.push(Number(index));
    else found.push(quoted !== undefined ? (JSON.parse(`"${quoted}"`) as string) : plain!);
  }
  return found;
}

/** Where the value at a path begins and ends in a text that is JSON; the nearest outer one if it is not there. */
export function locate(text: string, path: readonly (string | number)[]): [number, number] {
  let at = 0;
  let best: [number, number] = [0, 0];
  const space = () => {
    while (/\s/.test(text[at] ?? '')) at += 1;
  };
  const word = () => {
    const start = at;
    at += 1;
    while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
    at += 1;
    return JSON.parse(text.slice(start, at)) as string;
  };
  const value = (depth: number, isOn: boolean) => {
    space();
    const start = at;
    if (text[at] === '{' || text[at] === '[') {
      const isList = text[at] === '[';
      at += 1;
      for (let index = 0; at < text.length; index += 1) {
        space();
        if (text[at] === '}' || text[at] === ']') break;
        const key = isList ? index : word();
        if (!isList) {
          space();
          at += 1; // the colon
        }
        value(depth + 1, isOn && depth < path.length && path[depth] === key);
        space();
        if (text[at] === ',') at += 1;
      }
      at += 1;
    } else if (text[at] === '"') word();
    else while (at < text.length && !/[\s,\]}]/.test(text[at]!)) at += 1;
    if (isOn && depth >= reached) {
      reached = depth;
      best = [start, at];
    }
  };
  let reached = 0;
  value(0, true);
  return best;
}
