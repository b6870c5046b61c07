import { signal } from '@preact/signals';
import { isRedriveResults, type RedriveResult } from './answers.js';
import { post } from './api.js';
import { Dialog } from './dialog.js';
import { tell } from './notice.js';
import { refresh } from './refresh.js';

/** Which dead letters have been chosen. */
export const selected = signal<ReadonlySet<string>>(new Set());
/** Which of them the person is being asked about. */
const asking = signal<readonly string[]>([]);
const working = signal(false);
const trouble = signal('');
const namedAtMost = 8;

export const selectOnly = (requestIds: readonly string[]): void => {
  selected.value = new Set(requestIds);
};

export function askToRedrive(requestIds: readonly string[]): void {
  trouble.value = '';
  asking.value = requestIds;
}

const forget = (): void => {
  asking.value = [];
};

async function redrive(): Promise<void> {
  const requestIds = asking.value;
  working.value = true;
  const answer = await post('deadletters/redrive', { requestIds }, isRedriveResults);
  working.value = false;
  if (!answer.ok) {
    trouble.value = `${answer.trouble.message} It is not known what became of it: asking again does no harm.`;
    return;
  }
  forget();
  selectOnly([]);
  const { results } = answer.value;
  const others = results.filter(({ outcome }) => outcome !== 'redriven');
  tell({
    kind: others.length === 0 ? 'done' : 'trouble',
    text: outcomeOf(results),
    lines: others.map(({ requestId, detail }) => `${requestId}: ${detail}`),
  });
  await refresh();
}

function outcomeOf(results: readonly RedriveResult[]): string {
  const redriven = results.filter(({ outcome }) => outcome === 'redriven').length;
  const left = results.length - redriven;
  const done = redriven === 1 ? '1 request begins again.' : `${redriven} requests begin again.`;
  if (left === 0) return done;
  return `${redriven > 0 ? `${done} ` : ''}${left === 1 ? '1 was' : `${left} were`} left as ${left === 1 ? 'it is' : 'they are'}:`;
}

export const Redrive = () => {
  const ids = asking.value;
  const many = ids.length > 1;
  return (
    <Dialog open={ids.length > 0} labelledBy="redrive-title" kind="question" onClose={forget}>
      <h2 id="redrive-title">{many ? `Redrive ${ids.length} requests?` : 'Redrive this request?'}</h2>
      <ul class="ids">
        {ids.slice(0, namedAtMost).map(id => (
          <li key={id} class="id">
            {id}
          </li>
        ))}
        {ids.length > namedAtMost && <li>and {ids.length - namedAtMost} more</li>}
      </ul>
      <p>
        {many ? 'Each begins' : 'It begins'} again with the message it came as, under today’s settings, and
        gets a new agent. {many ? 'Their letters leave' : 'Its letter leaves'} the dead letter queue. A
        pipeline that was told of the failure is not called again.
      </p>
      <p>Mend the cause first: what failed for good fails in the same way again.</p>
      {trouble.value !== '' && (
        <p role="alert" class="bad">
          {trouble.value}
        </p>
      )}
      <div class="choices">
        {/* oxlint-disable-next-line jsx-a11y/no-autofocus -- in a dialog the focus has to be somewhere: at what does nothing */}
        <button type="button" autofocus onClick={forget}>
          Leave it
        </button>
        <button type="button" class="primary" disabled={working.value} onClick={() => void redrive()}>
          {working.value ? 'Redriving …' : many ? `Redrive ${ids.length}` : 'Redrive'}
        </button>
      </div>
    </Dialog>
  );
};
