/** An amount in a currency, with as many places as it takes to see it. */
export function money(amount: number, currency: string): string {
  const places = amount !== 0 && Math.abs(amount) < 1 ? 4 : 2;
  return new Intl.NumberFormat(undefined, {
    style: 'currency',
    currency,
    minimumFractionDigits: 2,
    maximumFractionDigits: places,
  }).format(amount);
}
