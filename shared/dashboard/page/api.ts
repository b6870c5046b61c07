/** How an attempt to ask the app has ended badly. */
export interface Trouble {
  readonly kind: 'unreachable' | 'refused' | 'notOffered' | 'problem';
  /** A sentence for the person who looks at the page. */
  readonly message: string;
}

export type Answer<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly trouble: Trouble };

const patienceMs = 20_000;

/** Kept here and nowhere else: not in a link, not in storage. Only the address that the page was opened by has it, too. */
const key = new URLSearchParams(location.search).get('code');
const base = `${location.pathname.replace(/\/+$/, '')}/data/`;

/** @param isAnswer whether the body is what was asked for. */
export async function ask<T>(
  path: string,
  query: Readonly<Record<string, string | undefined>>,
  isAnswer: (value: unknown) => value is T,
): Promise<Answer<T>> {
  const given = Object.entries(query).filter((entry): entry is [string, string] => Boolean(entry[1]));
  const search = new URLSearchParams(given).toString();
  return call(`${base}${path}${search === '' ? '' : `?${search}`}`, { method: 'GET' }, isAnswer);
}

export async function post<T>(
  path: string,
  body: object,
  isAnswer: (value: unknown) => value is T,
): Promise<Answer<T>> {
  return call(
    base + path,
    {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-requested-by': 'dashboard' },
      body: JSON.stringify(body),
    },
    isAnswer,
  );
}

type Init = Omit<RequestInit, 'headers'> & { readonly headers?: Readonly<Record<string, string>> };

async function call<T>(
  url: string,
  { headers, ...init }: Init,
  isAnswer: (value: unknown) => value is T,
): Promise<Answer<T>> {
  let response: Response;
  let text: string;
  try {
    response = await fetch(url, {
      ...init,
      headers: { ...headers, ...(key === null ? {} : { 'x-functions-key': key }) },
      cache: 'no-store',
      redirect: 'manual',
      signal: AbortSignal.timeout(patienceMs),
    });
    text = await response.text();
  } catch {
    return failed('unreachable', 'The app does not answer.');
  }
  // Easy Auth sends whoever has to sign in again to another site.
  if (response.type === 'opaqueredirect' || response.status === 401 || response.status === 403) {
    return failed('refused', detailOf(text) ?? 'The app does not let this page in.');
  }
  const value = parse(text);
  if (response.ok && isAnswer(value)) return { ok: true, value };
  const detail = detailOf(text);
  if (response.status === 404 && isRecord(value) && value['code'] === 'RouteNotFound') {
    return failed('notOffered', 'This version of the app does not tell.');
  }
  if (response.status === 502 || response.status === 503 || response.status === 504) {
    return failed('unreachable', detail ?? `The app is not there at the moment (${response.status}).`);
  }
  if (response.ok) {
    return failed(
      'problem',
      'The app answers otherwise than this page expects. Reload the page: the app is newer.',
    );
  }
  return failed('problem', detail ?? `The app answers with ${response.status}.`);
}

const failed = (kind: Trouble['kind'], message: string): { ok: false; trouble: Trouble } => ({
  ok: false,
  trouble: { kind, message },
});

/** What a problem (RFC 9457) says. */
function detailOf(text: string): string | undefined {
  const value = parse(text);
  return isRecord(value) && typeof value['detail'] === 'string' ? value['detail'] : undefined;
}

function parse(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    return undefined;
  }
}

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
