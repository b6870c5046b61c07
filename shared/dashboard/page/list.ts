import { batch, computed, type ReadonlySignal, signal } from '@preact/signals';
import type { ShownRequest } from '../../domain/view.js';
import type { Answer, Trouble } from './api.js';

interface Page {
  readonly items: readonly ShownRequest[];
  readonly continuation: string | null;
}
type Fetch = (page: { readonly top: string; readonly continuation?: string }) => Promise<Answer<Page>>;

/** A list that is shown page by page and kept fresh. */
export interface List {
  readonly items: ReadonlySignal<readonly ShownRequest[]>;
  readonly loaded: ReadonlySignal<boolean>;
  readonly hasMore: ReadonlySignal<boolean>;
  readonly busy: ReadonlySignal<boolean>;
  readonly trouble: ReadonlySignal<Trouble | undefined>;
  load(): Promise<Answer<unknown>>;
  more(): Promise<void>;
  /** Forgets what is shown: something else is asked for from now on. */
  clear(): void;
}

const pageSize = 50;
const mostAtOnce = 200;

export function createList(fetchPage: Fetch): List {
  const items = signal<readonly ShownRequest[]>([]);
  const continuation = signal<string | null>(null);
  const loaded = signal(false);
  const busy = signal(false);
  const trouble = signal<Trouble | undefined>(undefined);
  let generation = 0;

  return {
    items,
    loaded,
    busy,
    trouble,
    hasMore: computed(() => continuation.value !== null),
    load: async () => {
      const mine = generation;
      const top = Math.min(mostAtOnce, Math.max(pageSize, items.value.length));
      const answer = await fetchPage({ top: String(top) });
      // What was asked for meanwhile is something else.
      if (mine !== generation) return answer;
      batch(() => {
        trouble.value = answer.ok ? undefined : answer.trouble;
        if (!answer.ok) return;
        const fresh = answer.value.items;
        const older = fresh.length < mostAtOnce ? [] : olderThan(items.value, fresh);
        items.value = [...fresh, ...older];
        if (older.length === 0) continuation.value = answer.value.continuation;
        loaded.value = true;
      });
      return answer;
    },
    more: async () => {
      if (continuation.value === null || busy.value) return;
      const mine = generation;
      busy.value = true;
      const answer = await fetchPage({ top: String(pageSize), continuation: continuation.value });
      batch(() => {
        busy.value = false;
        if (mine !== generation) return;
        trouble.value = answer.ok ? undefined : answer.trouble;
        if (!answer.ok) return;
        const known = new Set(items.value.map(({ requestId }) => requestId));
        items.value = [
          ...items.value,
          ...answer.value.items.filter(({ requestId }) => !known.has(requestId)),
        ];
        continuation.value = answer.value.continuation;
      });
    },
    clear: () => {
      generation += 1;
      batch(() => {
        items.value = [];
        continuation.value = null;
        loaded.value = false;
        busy.value = false;
      });
    },
  };

  function olderThan(
    known: readonly ShownRequest[],
    fresh: readonly ShownRequest[],
  ): readonly ShownRequest[] {
    const last = fresh.at(-1)?.createdAt ?? '';
    const ids = new Set(fresh.map(({ requestId }) => requestId));
    return known.filter(({ requestId, createdAt }) => createdAt <= last && !ids.has(requestId));
  }
}
