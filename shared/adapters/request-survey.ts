import { odata } from '@azure/data-tables';
import type { RequestSurvey, Surveyed, SurveyRange } from '../ports.js';
import { endedBetween, liveRange, rowKeyOf } from './request-keys.js';
import { digestColumns, lifeColumns, toDigest, toLife, UnreadableRowError } from './request-row.js';
import { openRequestTable } from './request-table.js';
import type { StorageAccount } from './storage-account.js';

export interface RequestSurveyOptions {
  readonly account: StorageAccount;
  /** Default `AgentRequests`. */
  readonly tableName?: string;
}

/**
 * `changedSince` is compared with a column of ours and not with the service's `Timestamp`: lines of history bear the
 * time of our clocks, and so nothing depends on how far those are from the clock of storage.
 */
export function createRequestSurvey({
  account,
  tableName = 'AgentRequests',
}: RequestSurveyOptions): RequestSurvey {
  const table = openRequestTable(account, tableName);

  async function survey<T>(
    range: SurveyRange,
    columns: readonly string[],
    decode: (row: unknown, where: string) => T,
  ): Promise<Surveyed<T>> {
    const { changedSince, atMost } = range;
    const place = range.which === 'live' ? liveRange() : endedBetween(range.askedSince, range.askedUntil);
    const filter = [place, ...(changedSince === undefined ? [] : [odata`updatedAt ge ${changedSince}`])];
    const requests: T[] = [];
    for await (const row of table.rows(filter.join(' and '), columns)) {
      if (requests.length === atMost) return { requests, more: true };
      try {
        requests.push(decode(row, table.where(rowKeyOf(row))));
      } catch (error) {
        // Whoever lists the live ones tells of it.
        if (!(error instanceof UnreadableRowError)) throw error;
      }
    }
    return { requests, more: false };
  }

  const what = "The requests can't be surveyed";
  return {
    digests: range => table.use('intake', what, () => survey(range, digestColumns, toDigest)),
    lives: range => table.use('intake', what, () => survey(range, lifeColumns, toLife)),
  };
}
