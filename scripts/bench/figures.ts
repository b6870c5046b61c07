import type { Figure } from './figure.js';
import { cost } from './figures/cost.js';

/** Loaded when it is measured: with its clients and servers, while the command may only be asked how it is used. */
const later = (name: string, load: () => Promise<Figure>): Figure => ({
  name,
  measure: async bench => (await load()).measure(bench),
});

/** In the order in which they are measured and shown. */
export const figures: readonly Figure[] = [
  later('intake', async () => (await import('./figures/intake.js')).intake),
  later('per-request', async () => (await import('./figures/per-request.js')).perRequest),
  later('waiting', async () => (await import('./figures/waiting.js')).waiting),
  later('latency', async () => (await import('./figures/latency.js')).latency),
  later('burst', async () => (await import('./figures/burst.js')).burst),
  later('loading', async () => (await import('./figures/loading.js')).loading),
  cost,
];
