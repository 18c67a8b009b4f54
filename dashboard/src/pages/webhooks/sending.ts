// What becomes of an event on its way to a webhook or a handler.
import type { Delivery } from '../../api/nouns';

export const SENT: Record<Delivery['state'], string> = {
  pending: 'On its way',
  delivered: 'Arrived',
  failed: 'Given up',
};
