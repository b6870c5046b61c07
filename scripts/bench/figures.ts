import type { Figure } from './figure.js';
import { burst } from './figures/burst.js';
import { cost } from './figures/cost.js';
import { intake } from './figures/intake.js';
import { latency } from './figures/latency.js';
import { loading } from './figures/loading.js';
import { perRequest } from './figures/per-request.js';
import { waiting } from './figures/waiting.js';

/** In the order in which they are measured and shown. */
export const figures: readonly Figure[] = [intake, perRequest, waiting, latency, burst, loading, cost];
