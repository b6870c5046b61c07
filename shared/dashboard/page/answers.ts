import type { Overview } from '../../answers/overview.js';
import type { Pools } from '../../answers/pools.js';
import type { ShownRequest } from '../../domain/view.js';
import { isRecord } from './api.js';

/**
 * Whether an answer is what this page was built for: it may have been left open while the app was updated. The app
 * itself keeps to the schemas of its answers; what is looked for here is what would break the page.
 */
const isList = <T>(value: unknown, isItem: (item: unknown) => item is T): value is readonly T[] =>
  Array.isArray(value) && value.every(isItem);
const isText = (value: unknown): value is string => typeof value === 'string';
const isNumber = (value: unknown): value is number => typeof value === 'number';

export const isRequest = (value: unknown): value is ShownRequest =>
  isRecord(value) &&
  [value['requestId'], value['profile'], value['state'], value['createdAt'], value['devOpsPool']].every(
    isText,
  ) &&
  isList(value['history'], isLine) &&
  isRecord(value['tags']) &&
  isRecord(value['timings']) &&
  isRecord(value['links']) &&
  (value['failure'] === null || (isRecord(value['failure']) && isText(value['failure']['code'])));

const isLine = (value: unknown): value is ShownRequest['history'][number] =>
  isRecord(value) && isText(value['state']) && isText(value['at']) && isNumber(value['attempt']);

const isContinuation = (value: unknown): boolean => value === null || isText(value);

export interface RequestPage {
  readonly requests: readonly ShownRequest[];
  readonly continuation: string | null;
}
export const isRequestPage = (value: unknown): value is RequestPage =>
  isRecord(value) && isList(value['requests'], isRequest) && isContinuation(value['continuation']);

export interface DeadLetterPage {
  readonly deadLetters: readonly ShownRequest[];
  readonly continuation: string | null;
}
export const isDeadLetterPage = (value: unknown): value is DeadLetterPage =>
  isRecord(value) && isList(value['deadLetters'], isRequest) && isContinuation(value['continuation']);

export const isPools = (value: unknown): value is Pools =>
  isRecord(value) &&
  isList(
    value['pools'],
    (pool): pool is Pools['pools'][number] =>
      isRecord(pool) &&
      [pool['devOpsPool'], pool['batchPool']].every(isText) &&
      [pool['waiting'], pool['starting'], pool['online'], pool['busy']].every(isNumber) &&
      isList(pool['profiles'], isText) &&
      Array.isArray(pool['waits']) &&
      pool['waits'].every(isRecord),
  );

export const isOverview = (value: unknown): value is Overview =>
  isRecord(value) &&
  isRecord(value['counts']) &&
  isRecord(value['timeToOnline']) &&
  Array.isArray(value['timeToOnline']['buckets']) &&
  value['timeToOnline']['buckets'].every(isRecord) &&
  Array.isArray(value['failures']) &&
  value['failures'].every(isRecord) &&
  isList(value['profiles'], isText) &&
  isRecord(value['tags']);

export interface RedriveResult {
  readonly requestId: string;
  readonly outcome: string;
  readonly detail: string;
}
export interface RedriveResults {
  readonly results: readonly RedriveResult[];
}
export const isRedriveResults = (value: unknown): value is RedriveResults =>
  isRecord(value) &&
  isList(
    value['results'],
    (result): result is RedriveResult =>
      isRecord(result) && [result['requestId'], result['outcome'], result['detail']].every(isText),
  );
