import type { Figure } from './figure.js';
import { cost } from './figures/cost.js';
import { intake } from './figures/intake.js';

/** In the order in which they are measured and shown. */
export const figures: readonly Figure[] = [intake, cost];
