/** Whether a call to storage is about the product's own rows and messages; the rest is the host's and Durable's. */
export const isOwnStorage = (call: string): boolean =>
  /^\w+ (?:table\/(?:\$batch\()?AgentRequests\b|queue\/agent-requests)/.test(call);

const kinds: readonly (readonly [RegExp, string])[] = [
  [/^POST table\/\$batch/, 'table transaction'],
  [/^POST table\//, 'table insert'],
  [/^GET table\/.*\(:key\)/, 'table read'],
  [/^GET table\//, 'table query'],
  [/^(?:PATCH|MERGE|PUT) table\//, 'table write'],
  [/^DELETE table\//, 'table delete'],
  [/^POST queue\/.*\/messages/, 'queue send'],
  [/^GET queue\/.*\/messages/, 'queue receive'],
  [/^DELETE queue\/.*\/messages/, 'queue delete'],
  [/^PUT queue\/.*\/messages/, 'queue update'],
];

/** What is billed alike: `PATCH table/AgentRequests(:key)` is a table write. */
export const storageKind = (call: string): string =>
  kinds.find(([pattern]) => pattern.test(call))?.[1] ??
  call.replace(/^(\w+) (\w+)\/.*$/, '$2 $1').toLowerCase();
