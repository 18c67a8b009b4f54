/** Put a text into the clipboard. Browsers allow it on pages that came over https, or from this machine. */
export async function copy(text: string): Promise<void> {
  if (!navigator.clipboard)
    throw new Error('Here the browser lets no page copy: select it and press Ctrl+C.');
  await navigator.clipboard.writeText(text);
}
