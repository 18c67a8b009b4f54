import type { Handled } from '../api/portions';
import { many } from './times';

/** How many jobs were left alone because of the budget, and why; nothing if none was. */
export function overBudget({ overBudget: n, budget }: Handled): string {
  return n
    ? `${many(n, 'job')} cost too much, and ${n === 1 ? 'was' : 'were'} left as ${n === 1 ? 'it is' : 'they are'}: ${budget}`
    : '';
}

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
