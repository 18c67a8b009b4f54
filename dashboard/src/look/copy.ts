/** Put a text into the clipboard. */
export async function copy(text: string): Promise<void> {
  // Browsers have one for pages that came over https, or from this machine; the old way is for the others.
  if (navigator.clipboard) await navigator.clipboard.writeText(text);
  else if (!selected(text)) throw new Error(`This browser lets no page copy. It is: ${text}`);
}

function selected(text: string): boolean {
  const before = document.activeElement;
  const box = document.createElement('textarea');
  box.value = text;
  box.className = 'sr-only';
  document.body.append(box);
  box.select();
  const done = document.execCommand('copy');
  box.remove();
  if (before instanceof HTMLElement) before.focus();
  return done;
}
