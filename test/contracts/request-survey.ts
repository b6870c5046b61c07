import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { AgentRequest } from '../../shared/domain/request.js';
import type { RequestStore, RequestSurvey, Surveyed } from '../../shared/ports.js';
import { someRequest } from '../fakes/requests.js';
import { fail } from './fail.js';

const at = (minute: number, second = 0): string =>
  new Date(Date.UTC(2026, 0, 31, 10, minute, second)).toISOString();
const all = { askedSince: at(0), atMost: 1_000 } as const;

const idsOf = ({ requests }: Surveyed<{ readonly requestId: string }>): readonly string[] =>
  requests.map(({ requestId }) => requestId).toSorted();

async function put(
  store: RequestStore,
  changes: Partial<AgentRequest> & { requestId: string },
): Promise<void> {
  const { state = 'accepted' } = changes;
  await store.insert(someRequest({ ...changes, state: 'accepted' }), new Uint8Array([1]));
  const stored = (await store.get(changes.requestId)) ?? fail('it is missing');
  if (state !== 'accepted') await store.replace(stored, { ...stored.request, ...changes });
}

/** @param make a new, empty table, and a survey of it. */
export function requestSurveyContract(
  name: string,
  make: () => { readonly store: RequestStore; readonly survey: RequestSurvey },
): void {
  const test = suite(`request survey: ${name}`);

  test('finds nothing where nothing was ever stored', async () => {
    const { survey } = make();
    assert.equal(await survey.digests({ which: 'live', atMost: 10 }), { requests: [], more: false });
    assert.equal(await survey.lives({ which: 'ended', ...all }), { requests: [], more: false });
  });

  test('tells what numbers are made of, and the lines of a life', async () => {
    const { store, survey } = make();
    const failure = { code: 'PoolMissing', stage: 'createTask', message: 'Gone.', retryable: false } as const;
    const request = someRequest({
      state: 'deadLettered',
      onlineAt: at(1),
      endedAt: at(2),
      updatedAt: at(2),
      tags: { team: 'a' },
      failure,
      history: [{ state: 'accepted', at: at(0), attempt: 0, detail: 'Asked for.' }],
    });
    await put(store, request);
    const { requestId, profile, state, createdAt, updatedAt, onlineAt, endedAt, tags, history } = request;
    const common = { requestId, profile, state, createdAt, updatedAt, failureCode: 'PoolMissing' };
    const digests = await survey.digests({ which: 'ended', ...all });
    assert.equal(digests, { requests: [{ ...common, onlineAt, endedAt, tags }], more: false });
    assert.equal((await survey.lives({ which: 'ended', ...all })).requests, [{ ...common, history }]);
    await put(store, { requestId: 'lives' });
    const [live] = (await survey.digests({ which: 'live', atMost: 10 })).requests;
    assert.equal([live?.requestId, live?.onlineAt, live?.failureCode], ['lives', undefined, undefined]);
  });

  test('tells the live from the ended, and when each was asked for and changed', async () => {
    const { store, survey } = make();
    for (const minute of [1, 2, 3, 4]) {
      await put(store, { requestId: `live-${minute}`, createdAt: at(minute), updatedAt: at(minute) });
      await put(store, {
        requestId: `ended-${minute}`,
        state: 'completed',
        createdAt: at(minute),
        updatedAt: at(minute + 10),
      });
    }
    assert.equal(idsOf(await survey.digests({ which: 'live', atMost: 10 })), [
      'live-1',
      'live-2',
      'live-3',
      'live-4',
    ]);
    const changed = await survey.lives({ which: 'live', atMost: 10, changedSince: at(3) });
    assert.equal(idsOf(changed), ['live-3', 'live-4']);
    const asked = { which: 'ended', atMost: 10 } as const;
    assert.equal(idsOf(await survey.lives({ ...asked, askedSince: at(3) })), ['ended-3', 'ended-4']);
    assert.equal(idsOf(await survey.lives({ ...asked, askedSince: at(2), askedUntil: at(3) })), [
      'ended-2',
      'ended-3',
    ]);
    assert.equal(idsOf(await survey.lives({ ...asked, askedSince: at(2, 1), askedUntil: at(3, 59) })), [
      'ended-3',
    ]);
    assert.equal(idsOf(await survey.lives({ ...asked, askedSince: at(0), changedSince: at(13) })), [
      'ended-3',
      'ended-4',
    ]);
  });

  test('gives no more than was asked for, the newest of the ended ones, and says that there are more', async () => {
    const { store, survey } = make();
    for (const minute of [1, 2, 3]) {
      await put(store, { requestId: `r-${minute}`, state: 'expired', createdAt: at(minute) });
    }
    const { requests, more } = await survey.digests({ which: 'ended', askedSince: at(0), atMost: 2 });
    assert.equal(
      requests.map(({ requestId }) => requestId),
      ['r-3', 'r-2'],
    );
    assert.is(more, true);
    assert.is((await survey.digests({ which: 'ended', askedSince: at(0), atMost: 3 })).more, false);
  });

  test.run();
}
