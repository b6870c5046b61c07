import type { ShownRequest } from '../../domain/view.js';
import { Column } from './column.js';
import { deadLetters } from './data.js';
import { More } from './more.js';
import { askToRedrive, selected, selectOnly } from './redrive.js';
import { now } from './refresh.js';
import { RequestLink } from './request-link.js';
import { Section } from './section.js';
import { Tags } from './tags.js';
import { ago, fullMoment } from './time.js';
import { view } from './view.js';

/** The app takes no more in one call. */
const mostAtOnce = 200;

export const DeadLetters = () => {
  // They come in the order in which they were asked for; people look for what has just happened.
  const letters = deadLetters.items.value.toSorted((one, other) => endOf(other) - endOf(one));
  const chosen = letters.filter(({ requestId }) => selected.value.has(requestId));
  const { profile, tag } = view.value;
  return (
    <Section
      id="dead-letters"
      title="Dead letters"
      trouble={deadLetters.trouble.value}
      loaded={deadLetters.loaded.value}
      aside={
        letters.length > 0 && (
          <button
            type="button"
            class="primary"
            disabled={chosen.length === 0}
            onClick={() => askToRedrive(chosen.map(({ requestId }) => requestId))}
          >
            {chosen.length === 0 ? 'Redrive selected' : `Redrive ${chosen.length} selected`}
          </button>
        )
      }
    >
      {letters.length === 0 ? (
        <p class="empty">
          {profile === '' && tag === ''
            ? 'None: no request waits for somebody to mend its cause.'
            : 'None with these filters.'}
        </p>
      ) : (
        <>
          <table role="table" class="letters">
            <thead role="rowgroup">
              <tr role="row">
                <Column kind="pick">
                  <input
                    type="checkbox"
                    aria-label="Select all that are listed"
                    checked={chosen.length === letters.length}
                    indeterminate={chosen.length > 0 && chosen.length < letters.length}
                    onChange={({ currentTarget }) =>
                      selectOnly(
                        currentTarget.checked ? letters.slice(0, mostAtOnce).map(each => each.requestId) : [],
                      )
                    }
                  />
                </Column>
                <Column>Request</Column>
                <Column kind="number">Given up</Column>
                <Column kind="wide">Failure</Column>
                <Column>
                  <span class="hidden">Action</span>
                </Column>
              </tr>
            </thead>
            <tbody role="rowgroup">
              {letters.map(letter => (
                <Letter key={letter.requestId} letter={letter} />
              ))}
            </tbody>
          </table>
          <More list={deadLetters} what="dead letters" />
        </>
      )}
    </Section>
  );
};

const endOf = ({ endedAt, updatedAt }: ShownRequest): number => Date.parse(endedAt ?? updatedAt);

const Letter = ({ letter }: { readonly letter: ShownRequest }) => {
  const { requestId, profile, tags, failure } = letter;
  const at = endOf(letter);
  return (
    <tr role="row">
      <td role="cell" class="pick">
        <input
          type="checkbox"
          aria-label={`Select ${requestId}`}
          checked={selected.value.has(requestId)}
          onChange={({ currentTarget }) => {
            const others = [...selected.value].filter(id => id !== requestId);
            selectOnly(currentTarget.checked ? [...others, requestId] : others);
          }}
        />
      </td>
      <th role="rowheader" scope="row">
        <RequestLink requestId={requestId} />
        <span class="sub under">
          <span>{profile === '' ? 'no profile' : profile}</span>
          <Tags tags={tags} />
        </span>
      </th>
      <td role="cell" class="number when" title={fullMoment(at)}>
        {ago(at, now.value)}
      </td>
      <td role="cell" class="wide">
        <strong class="code">{failure?.code ?? 'unknown'}</strong>
        <span class="message">{failure?.message}</span>
      </td>
      <td role="cell" class="act">
        <button type="button" aria-haspopup="dialog" onClick={() => askToRedrive([requestId])}>
          Redrive<span class="hidden"> {requestId}</span>
        </button>
      </td>
    </tr>
  );
};
