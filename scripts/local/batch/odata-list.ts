import { BatchError, invalidQuery } from './errors.js';
import { type FilterableProperties, FilterError, type Predicate, parseFilter } from './odata-filter.js';

type View = Record<string, unknown>;
export type Query = Readonly<Record<string, string | undefined>>;

/** What can be asked of a kind of entity. */
export interface Entity {
  /** For `$select`. */
  readonly properties: readonly string[];
  /** For `$filter`. */
  readonly filterable: FilterableProperties;
  /** The last part of `odata.metadata`, e.g. `jobs`. */
  readonly metadata: string;
}

export interface ListSource {
  /** Names the item in `$skiptoken`; items come in ascending order of it. */
  readonly order: number;
  readonly view: () => View;
}

const maxPage = 1_000;

/**
 * One page of a list.
 *
 * @param path of the list, without query, from which the next page's link is made.
 * @throws BatchError (400) that names the query parameter at fault.
 */
export function listPage(
  entity: Entity,
  items: Iterable<ListSource>,
  query: Query,
  url: string,
  path: string,
): View {
  const filter = filterOf(entity, query['$filter']);
  const select = selectOf(entity, query);
  const size = pageSize(query['maxresults']);
  const after = skipToken(query['$skiptoken']);
  const value: View[] = [];
  let last = 0;
  let hasMore = false;
  for (const { order, view } of items) {
    if (order <= after) continue;
    const shown = view();
    if (filter && !filter(shown)) continue;
    if (value.length === size) {
      hasMore = true;
      break;
    }
    value.push(select(shown));
    last = order;
  }
  return {
    'odata.metadata': `${url}/$metadata#${entity.metadata}`,
    value,
    ...(hasMore && { 'odata.nextLink': nextLink(`${url}${path}`, query, last) }),
  };
}

/** One entity, with what `$select` leaves of it. */
export function single(entity: Entity, view: View, query: Query, url: string): View {
  return {
    'odata.metadata': `${url}/$metadata#${entity.metadata}/@Element`,
    ...selectOf(entity, query)(view),
  };
}

function filterOf(entity: Entity, text: string | undefined): Predicate | undefined {
  if (text === undefined || text.trim() === '') return undefined;
  try {
    return parseFilter(text, entity.filterable);
  } catch (error) {
    if (error instanceof FilterError) throw invalidQuery('$filter', text, error.message);
    throw error;
  }
}

function selectOf(entity: Entity, query: Query): (view: View) => View {
  const expand = query['$expand'];
  // Statistics are the only thing that can be expanded; none are kept, as for an entity too young to have some.
  if (expand !== undefined && expand !== 'stats')
    throw invalidQuery('$expand', expand, 'only stats can be expanded');
  const text = query['$select'];
  if (text === undefined || text.trim() === '') return view => view;
  const names = text.split(',').map(name => name.trim());
  const unknown = names.find(name => !entity.properties.includes(name));
  if (unknown !== undefined)
    throw invalidQuery('$select', text, `"${unknown}" is not a property that can be selected`);
  return view => Object.fromEntries(names.filter(name => name in view).map(name => [name, view[name]]));
}

function pageSize(text: string | undefined): number {
  if (text === undefined) return maxPage;
  if (!/^-?\d+$/.test(text)) throw invalidQuery('maxresults', text, 'not a whole number');
  const size = Number(text);
  if (size >= 1 && size <= maxPage) return size;
  throw new BatchError('OutOfRangeQueryParameterValue', [
    { key: 'QueryParameterName', value: 'maxresults' },
    { key: 'QueryParameterValue', value: text },
    { key: 'MinimumAllowed', value: '1' },
    { key: 'MaximumAllowed', value: String(maxPage) },
  ]);
}

function skipToken(text: string | undefined): number {
  if (text === undefined) return -1;
  const order = Number(/^after-(\d+)$/.exec(text)?.[1] ?? Number.NaN);
  if (Number.isNaN(order)) throw invalidQuery('$skiptoken', text, 'it did not come from a nextLink');
  return order;
}

function nextLink(address: string, query: Query, last: number): string {
  const kept = Object.entries(query).flatMap(([name, value]) =>
    value === undefined || name === '$skiptoken'
      ? []
      : [`${encodeURIComponent(name)}=${encodeURIComponent(value)}`],
  );
  return `${address}?${[...kept, `%24skiptoken=after-${last}`].join('&')}`;
}
