/** The same order sent twice, because an answer was lost, is one order; another order has another key. */
export class OrderKey {
  #said = '';
  #key = '';

  of(order: unknown): string {
    const said = JSON.stringify(order);
    if (said !== this.#said) {
      this.#said = said;
      // Not randomUUID: there is none where the page came over plain http from another machine.
      const bytes = crypto.getRandomValues(new Uint8Array(16));
      this.#key = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
    }
    return this.#key;
  }

  /** It was taken: the same once more is another order. */
  taken(): void {
    this.#said = '';
  }
}
