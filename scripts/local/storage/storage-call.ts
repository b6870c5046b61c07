export type StorageService = 'blob' | 'queue' | 'table';

/**
 * The name that a call to storage is counted under and that fault rules know it by. What there can be any number of is
 * not in it: ids of messages, keys of entities, names of blobs.
 *
 *     POST queue/agent-requests/messages · DELETE queue/agent-requests/messages/:messageId
 *     PATCH table/AgentRequests(:key) · POST table/$batch · PUT blob/locks/:blob?comp=lease
 */
export function storageCall(
  service: StorageService,
  method: string,
  url: string,
): { readonly name: string; readonly params: Readonly<Record<string, string>> } {
  const { pathname, searchParams } = new URL(url, 'http://storage');
  // The first is the account.
  const [, , first = '', second = '', third = ''] = pathname.split('/').map(decode);
  const comp = searchParams.get('comp');
  const suffix = comp === null ? '' : `?comp=${comp}`;
  const named = (path: string, params: Readonly<Record<string, string>>) => ({
    name: `${method} ${service}/${path}${suffix}`,
    params,
  });
  if (service === 'table') {
    const [, table = first, key] = /^([^(]*)\((.*)\)$/.exec(first) ?? [];
    return key === undefined || key === ''
      ? named(table, { table })
      : named(`${table}(:key)`, { table, key });
  }
  if (service === 'queue') {
    const params = { queue: first, ...(third !== '' && { messageId: third }) };
    return named([first, second, third && ':messageId'].filter(Boolean).join('/'), params);
  }
  const blob = pathname.split('/').slice(3).join('/');
  return blob === ''
    ? named(first, { container: first })
    : named(`${first}/:blob`, { container: first, blob });
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
