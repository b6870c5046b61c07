import { useSignal } from '@preact/signals';
import { requestStates } from '../../domain/request.js';
import { deadLetters, knownProfiles, knownTags } from './data.js';
import { stateWords } from './life.js';
import { look, view } from './view.js';

export const Filters = () => {
  const { profile, state, tag } = view.value;
  const isAny = profile !== '' || state !== '' || tag !== '';
  return (
    <search class="filters" aria-label="Filters">
      <label>
        Profile
        <select value={profile} onChange={({ currentTarget }) => look({ profile: currentTarget.value })}>
          <option value="">all</option>
          {knownProfiles.value.map(name => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label>
        State
        <select value={state} onChange={({ currentTarget }) => look({ state: currentTarget.value })}>
          <option value="">all</option>
          {requestStates.map(name => (
            <option key={name} value={name}>
              {stateWords[name]}
            </option>
          ))}
        </select>
      </label>
      <TagFilter />
      {isAny && (
        <button type="button" onClick={() => look({ profile: '', state: '', tag: '' })}>
          Clear filters
        </button>
      )}
      <Jump />
    </search>
  );
};

/** What is being typed is kept apart from the filter: the page is drawn anew every few seconds and would wipe it out. */
const TagFilter = () => {
  const { tag } = view.value;
  const typed = useSignal<string | undefined>(undefined);
  const use = (text: string): void => {
    typed.value = undefined;
    look({ tag: text.trim() });
  };
  return (
    <label>
      Tag
      <input
        type="text"
        list="tags"
        placeholder="name=value"
        autocomplete="off"
        spellcheck={false}
        value={typed.value ?? tag}
        onInput={({ currentTarget }) => (typed.value = currentTarget.value)}
        onChange={({ currentTarget }) => use(currentTarget.value)}
        onKeyDown={event => {
          if (event.key === 'Enter') use(event.currentTarget.value);
        }}
      />
      <datalist id="tags">
        {knownTags.value.map(each => (
          <option key={each} value={each} />
        ))}
      </datalist>
    </label>
  );
};

/** What somebody has to act upon is at the end of a long page. */
const Jump = () => {
  const count = deadLetters.items.value.length;
  if (count === 0) return null;
  return (
    <button
      type="button"
      class="jump"
      onClick={() => {
        const section = document.getElementById('dead-letters');
        section?.scrollIntoView();
        section?.focus();
      }}
    >
      <span class="bad">
        <span aria-hidden="true">✕ </span>
        {count}
        {deadLetters.hasMore.value && ' or more'} dead {count === 1 ? 'letter' : 'letters'}
      </span>
    </button>
  );
};
