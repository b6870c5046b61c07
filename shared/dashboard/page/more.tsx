import type { List } from './list.js';

export const More = ({ list, what }: { readonly list: List; readonly what: string }) => (
  <p class="more">
    {list.items.value.length} shown.{' '}
    {list.hasMore.value && (
      <button type="button" disabled={list.busy.value} onClick={() => void list.more()}>
        {list.busy.value ? 'Loading …' : `More ${what}`}
      </button>
    )}
  </p>
);
