import { signal } from '@preact/signals';
import { requestStates } from '../../domain/request.js';
import { type Span, spans } from './axis.js';

/**
 * What is looked at, as the fragment of the address has it: it can be shared, and no server and no log ever sees it.
 * The key of the page is in the query, and is never copied from there.
 */
export interface View {
  readonly profile: string;
  readonly state: string;
  /** `NAME=VALUE` */
  readonly tag: string;
  readonly span: Span;
  /** The request that is shown in detail. */
  readonly request: string;
}

export const view = signal<View>(read());

function read(): View {
  const given = new URLSearchParams(location.hash.slice(1));
  const state = given.get('state') ?? '';
  return {
    profile: given.get('profile') ?? '',
    state: requestStates.some(each => each === state) ? state : '',
    tag: given.get('tag') ?? '',
    span: spans.find(each => each === given.get('span')) ?? 'fit',
    request: given.get('request') ?? '',
  };
}

export function look(change: Partial<View>): void {
  view.value = { ...view.value, ...change };
  history.replaceState(undefined, '', fragment() === '' ? location.pathname + location.search : fragment());
}

function fragment(): string {
  const { span, ...rest } = view.value;
  const said = Object.entries({ ...rest, span: span === 'fit' ? '' : span }).filter(
    ([, value]) => value !== '',
  );
  return said.length === 0 ? '' : `#${new URLSearchParams(said).toString()}`;
}

/** For others: whoever opens it needs a key of their own. */
export const linkToView = (): string => location.origin + location.pathname + fragment();

addEventListener('hashchange', () => {
  view.value = read();
});

/** Whether a request has the tag that is asked for. */
export function hasTag(tags: Readonly<Record<string, string>>, wanted: string): boolean {
  if (wanted === '') return true;
  const [name = '', ...value] = wanted.split('=');
  return tags[name] === value.join('=');
}
