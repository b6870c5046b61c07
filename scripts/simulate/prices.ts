import type { Outcome } from './tally.js';

/** Of a node's hour, in USD. */
export interface Prices {
  readonly priceSpot: number;
  readonly priceDedicated: number;
}

/**
 * Assumptions of the size of list prices for Linux on 4 vCPU of the F series, pay as you go, at the beginning of 2026. They
 * differ by region, size and day: whoever looks at costs gives those of the own region.
 */
export const usualPrices: Prices = { priceSpot: 0.05, priceDedicated: 0.2 };

export function costOf(
  { nodeHours }: Pick<Outcome, 'nodeHours'>,
  { priceSpot, priceDedicated }: Prices,
): number {
  return nodeHours.spot * priceSpot + nodeHours.dedicated * priceDedicated;
}
