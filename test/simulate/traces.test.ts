import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { root } from '../../scripts/root.js';
import { InputError } from '../../scripts/simulate/input-error.js';
import { generateTrace } from '../../scripts/simulate/trace/generate.js';
import { readTrace } from '../../scripts/simulate/trace/read-trace.js';
import { readRecipe } from '../../scripts/simulate/trace/recipe.js';
import { firstPart, hour, minute, type Trace } from '../../scripts/simulate/trace/trace.js';

const lines = (...text: readonly string[]): string => text.join('\n');
const shown = ({ at, runs, slots }: Trace) =>
  Array.from(at, (time, index) => [time / minute, (runs[index] ?? 0) / minute, slots[index]]);

/** The lines that a person reads. */
function problems(file: string, text: string, slots = 5): readonly string[] {
  try {
    readTrace(file, text, { slots });
  } catch (error) {
    if (error instanceof InputError) return error.message.split('\n');
    throw error;
  }
  assert.unreachable(`${file} should be refused`);
  return [];
}

const csv = suite('a trace of CSV');

csv('has a request a line, in any order, with times that count on after midnight', () => {
  const trace = readTrace(
    't.csv',
    lines('at,minutes,slots', '# the second day', '33:10:30,7.5', '', '09:30,8,2'),
    { slots: 5 },
  );
  assert.equal(shown(trace), [
    [570, 8, 2],
    [1990.5, 7.5, 1],
  ]);
  assert.is(trace.lasts, 48 * hour);
  assert.is(new Date(trace.startsAt).getUTCDay(), 1, 'a Monday');
});

csv('may have dates, and then knows which day it was', () => {
  const trace = readTrace('t.csv', lines('2026-03-07T23:30:00Z,5', '2026-03-08T01:30:00+01:00,5'), {
    slots: 1,
  });
  assert.is(new Date(trace.startsAt).toISOString(), '2026-03-07T00:00:00.000Z');
  assert.equal(
    shown(trace).map(([at]) => at),
    [1410, 1470],
  );
});

csv('tells everything that is wrong, each with line, column and cause', () => {
  assert.equal(
    problems(
      't.csv',
      lines(
        '09:30,8',
        'noon,8',
        '09:31,',
        '09:32,-1',
        '09:33',
        '09:34,8,9',
        '09:35,8,1.5',
        '09:36, x ,1,2',
        '2026-03-07T09:00:00Z,1',
        '09:99,1',
      ),
    ),
    [
      't.csv:2:1: "noon" is no time: 09:30, 33:10:05 or 2026-03-02T09:30:00Z is meant.',
      't.csv:3:7: "" is no number of minutes that the job runs, more than 0 and at most 1440.',
      't.csv:4:7: "-1" is no number of minutes that the job runs, more than 0 and at most 1440.',
      't.csv:5:6: The minutes that the job runs are missing.',
      't.csv:6:9: No node has 9 slots: they have 5.',
      't.csv:7:9: "1.5" is no number of slots, a whole number of at least 1.',
      't.csv:8:13: A line has at most three values: at,minutes,slots.',
      't.csv:8:8: "x" is no number of minutes that the job runs, more than 0 and at most 1440.',
      't.csv:9:1: A trace has either times or dates with times, not both.',
      't.csv:10:1: "09:99" is no time: 09:30, 33:10:05 or 2026-03-02T09:30:00Z is meant.',
    ],
  );
  assert.equal(problems('empty.csv', '# nothing\n'), ['empty.csv: It has no request.']);
});

csv.run();

const recipe = suite('a trace of a recipe');
const flat = (value: number) => `[${Array.from({ length: 24 }, () => value).join(', ')}]`;
const good = lines(
  'start: 2026-03-06',
  'days: 3',
  'seed: 1',
  `weekday: ${flat(10)}`,
  `weekend: ${flat(0)}`,
  'jobs:',
  '  - {name: a, share: 3, agents: [2, 4], minutes: 8}',
  '  - {name: b, share: 1, minutes: 20, spread: 0, slots: 2}',
  'bursts:',
  "  - {at: '09:30', days: weekend, agents: 40, over: 5, minutes: 9, spread: 0}",
);

recipe('asks as often as it says, on the days that it says', () => {
  const trace = readTrace('t.yaml', good, { slots: 5 });
  const friday = firstPart(trace, 24 * hour);
  // 240 pipelines of 2.5 agents; a fifth more or less is chance.
  assert.ok(Math.abs(friday.at.length - 600) < 120, `${friday.at.length}`);
  assert.is(trace.at.length - friday.at.length, 80, 'two bursts and nothing else');
  for (const at of trace.at.slice(friday.at.length)) {
    const clock = (at % (24 * hour)) / minute;
    assert.ok(clock >= 570 && clock <= 575, `${clock}`);
  }
  assert.equal(
    [...trace.at],
    [...trace.at].toSorted((one, other) => one - other),
  );
  assert.equal(new Set(trace.slots), new Set([1, 2]));
});

recipe('is the same for the same seed, and another for another', () => {
  const of = (seed?: number) => shown(readTrace('t.yaml', good, { slots: 5, seed }));
  assert.equal(of(), of(1));
  assert.not.equal(of(), of(2));
  assert.not.equal(of(2), of(3));
});

recipe('has jobs around their median', () => {
  const read = readRecipe('t.yaml', good, 5);
  const { runs } = generateTrace('t', {
    ...read,
    jobs: [{ name: 'a', share: 1, agents: 1, minutes: 8, spread: 0.5, slots: 1 }],
    bursts: [],
    days: 30,
  });
  const sorted = runs.toSorted();
  assert.ok(Math.abs((sorted[Math.floor(sorted.length / 2)] ?? 0) / minute - 8) < 0.5);
  const within = runs.filter(time => time > (8 / 1.5) * minute && time < 8 * 1.5 * minute).length;
  assert.ok(Math.abs(within / runs.length - 0.68) < 0.04, `${within / runs.length}`);
});

recipe('tells everything that is wrong, each with line, column and cause', () => {
  const bad = good
    .replace('days: 3', 'days: 0')
    .replace('name: b, share: 1', 'nom: b, share: -1')
    .replace("'09:30'", "'24:30'")
    .replace('agents: [2, 4]', 'agents: [4, 2]');
  const told = problems('t.yaml', bad);
  assert.is(told.length, 6, told.join('\n'));
  for (const [start, cause] of [
    ['t.yaml:2:7: ', '"days"'],
    ['t.yaml:7:33: ', '"jobs.0.agents"'],
    ['t.yaml:8:6: ', 'There is no "nom" in "jobs.1".'],
    ['t.yaml:8:5: ', '"jobs.1.name": It is missing.'],
    ['t.yaml:8:21: ', '"jobs.1.share"'],
    ['t.yaml:10:10: ', 'It must be a time of the day'],
  ] as const) {
    assert.ok(
      told.some(line => line.startsWith(start) && line.includes(cause)),
      `${start}${cause}\n${told.join('\n')}`,
    );
  }
  assert.equal(problems('t.yaml', good, 1), [
    't.yaml:8:56: "jobs.1.slots": No node has 2 slots: they have 1.',
  ]);
  assert.match(problems('t.yaml', 'start: [\n')[0] ?? '', /^t\.yaml:\d+:\d+: /);
  assert.match(
    problems('t.yaml', good.replace(flat(10), flat(1e7)))[0] ?? '',
    /^t\.yaml:2:7: "days": These would be some \d+ requests/,
  );
});

recipe('all that are committed can be read, and say how they were made', async () => {
  const folder = join(root, 'infra/autoscale/traces');
  for (const name of await readdir(folder)) {
    const text = await readFile(join(folder, name), 'utf8');
    const read = readRecipe(name, text, 1);
    assert.match(read.made ?? '', /^By hand, not measured: /, name);
    assert.ok(text.length < 3_000, name);
  }
});

recipe.run();

const real = suite('a trace of real requests');

real('is what the command line lists, with the time that each agent was online', () => {
  const request = (createdAt: string, onlineAt: string | null, endedAt?: string) => ({
    requestId: 'x',
    createdAt,
    onlineAt,
    endedAt,
  });
  const text = JSON.stringify({
    more: false,
    requests: [
      request('2026-03-04T10:00:00.000Z', '2026-03-04T10:05:00.000Z', '2026-03-04T10:25:00.000Z'),
      request('2026-03-04T09:00:00.000Z', null),
    ],
  });
  assert.equal(shown(readTrace('r.json', text, { slots: 5 })), [
    [540, 0.5, 1],
    [600, 20, 1],
  ]);
});

real('that can not be read is told with line, column and cause', () => {
  assert.match(
    problems('r.json', '{"requests": [\n  {"createdAt": "yesterday"}]}')[0] ?? '',
    /^r\.json:2:17: "requests\.0\.createdAt": /,
  );
  assert.match(
    problems('r.json', '{"requests": []}')[0] ?? '',
    /^r\.json:1:14: "requests": There is no request in it\.$/,
  );
  assert.match(problems('r.json', '[')[0] ?? '', /^r\.json:\d+:\d+: /);
});

real.run();
