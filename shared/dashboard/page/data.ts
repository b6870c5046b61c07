import { batch, computed, type Signal, signal } from '@preact/signals';
import type { Overview } from '../../answers/overview.js';
import type { Pools } from '../../answers/pools.js';
import type { ShownRequest } from '../../domain/view.js';
import { isDeadLetterPage, isOverview, isPools, isRequest, isRequestPage } from './answers.js';
import { type Answer, ask, type Trouble } from './api.js';
import { createList, type List } from './list.js';
import { hasTag, view } from './view.js';

/** Something that the app was asked for: the last good answer stays, whatever comes after it. */
interface Source<T> {
  readonly value: Signal<T | undefined>;
  readonly trouble: Signal<Trouble | undefined>;
  load(): Promise<Answer<unknown>>;
}

function source<T>(fetchIt: () => Promise<Answer<T>>): Source<T> {
  const value = signal<T | undefined>(undefined);
  const trouble = signal<Trouble | undefined>(undefined);
  return {
    value,
    trouble,
    load: async () => {
      const answer = await fetchIt();
      batch(() => {
        if (answer.ok) value.value = answer.value;
        trouble.value = answer.ok ? undefined : answer.trouble;
      });
      return answer;
    },
  };
}

export const pools: Source<Pools> = source(async () => ask('pools', {}, isPools));

export const overview: Source<Overview> = source(async () => {
  const { profile, tag } = view.value;
  return ask('overview', { hours: '24', profile, tag }, isOverview);
});

export const requests: List = createList(async page => {
  const { profile, state, tag } = view.value;
  const answer = await ask('requests', { profile, state, tag, ...page }, isRequestPage);
  if (!answer.ok) return answer;
  const { requests: items, continuation } = answer.value;
  return { ok: true, value: { items: items.filter(({ tags }) => hasTag(tags, tag)), continuation } };
});

export const deadLetters: List = createList(async page => {
  const { profile, tag } = view.value;
  const answer = await ask('deadletters', { profile, ...page }, isDeadLetterPage);
  if (!answer.ok) return answer;
  const { deadLetters: items, continuation } = answer.value;
  return { ok: true, value: { items: items.filter(({ tags }) => hasTag(tags, tag)), continuation } };
});

const fetched = source<ShownRequest>(async () =>
  ask(`requests/${encodeURIComponent(view.value.request)}`, {}, isRequest),
);

/** The request that is shown in detail: at once as a list has it, and then as the app says. */
export const shown = computed<ShownRequest | undefined>(() => {
  const { request } = view.value;
  const own = fetched.value.value;
  if (own?.requestId === request) return own;
  return [...requests.items.value, ...deadLetters.items.value].find(({ requestId }) => requestId === request);
});
export const shownTrouble = fetched.trouble;
export const loadShown = async (): Promise<Answer<unknown> | undefined> => {
  if (view.value.request === '') return undefined;
  return fetched.load();
};

/** Names for the filter, from wherever they are known. */
export const knownProfiles = computed<readonly string[]>(() => {
  const names = [
    ...(overview.value.value?.profiles ?? []),
    ...(pools.value.value?.pools.flatMap(({ profiles }) => profiles) ?? []),
    ...requests.items.value.map(({ profile }) => profile),
    view.value.profile,
  ];
  return [...new Set(names)].filter(Boolean).toSorted();
});

export const knownTags = computed<readonly string[]>(() => {
  const told = Object.entries(overview.value.value?.tags ?? {}).flatMap(([name, values]) =>
    values.map(value => `${name}=${value}`),
  );
  const seen = requests.items.value.flatMap(({ tags }) =>
    Object.entries(tags).map(([name, value]) => `${name}=${value}`),
  );
  return [...new Set([...told, ...seen])].slice(0, 200);
});
