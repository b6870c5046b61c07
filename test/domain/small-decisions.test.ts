import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as z from 'zod';
import { lostAgent } from '../../shared/domain/agent-end.js';
import {
  attemptBackoff,
  backoffMs,
  chanceFrom,
  longestPauseMs,
  pauseMs,
} from '../../shared/domain/backoff.js';
import { isReservedCapability } from '../../shared/domain/capability-name.js';
import { deadLetterMessage } from '../../shared/domain/dead-letter.js';
import { failureFromText, retryAfterFromText, stages, TransientError } from '../../shared/domain/failure.js';
import { agentNameOf, batchJobIdOf, dayOf, watchIdOf } from '../../shared/domain/names.js';
import { planUrlProblem } from '../../shared/domain/plan-url.js';
import { articleImage, imageName } from '../../shared/domain/profile.js';
import { isDue, progressPeriodMs } from '../../shared/domain/progress.js';

const backoff = suite('backoffMs');

backoff('grows, is never zero, and never passes its limit', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 60 }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (failures, chance) => {
        const ms = backoffMs(attemptBackoff, failures, chance);
        const later = backoffMs(attemptBackoff, failures + 2, chance);
        return ms > 0 && ms <= attemptBackoff.maxMs && later >= ms;
      },
    ),
  );
});

backoff('takes its chance from a text, the same for the same text', () => {
  fc.assert(
    fc.property(fc.string(), text => {
      const chance = chanceFrom(text);
      return chance === chanceFrom(text) && chance >= 0 && chance < 1;
    }),
  );
});

backoff('waits as long as a service asks for, but not for ever', () => {
  const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), chance, fc.nat(10_000_000), (failures, luck, asked) => {
      const pause = pauseMs(failures, luck, asked);
      return (
        pause <= longestPauseMs &&
        pause >= Math.min(longestPauseMs, asked) &&
        pause >= pauseMs(failures, luck, undefined)
      );
    }),
  );
  assert.is(pauseMs(1, 0.5, 3_600_000), 600_000);
});

backoff.run();

const progress = suite('progress');

progress('every pipeline that waits is told once a period, whenever the looks are', () => {
  fc.assert(
    fc.property(
      fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,39}$/),
      fc.array(fc.integer({ min: 1, max: 30_000 }), { minLength: 1, maxLength: 60 }),
      (requestId, gaps) => {
        const period = progressPeriodMs(1, 5_000);
        let at = 1_770_000_000_000;
        const dueAt: number[] = [];
        const began = at;
        for (const gap of gaps) {
          if (isDue(requestId, period, at, at + gap)) dueAt.push(at + gap);
          at += gap;
        }
        const periods = (at - began) / period;
        return dueAt.length >= Math.floor(periods) && dueAt.length <= Math.ceil(periods);
      },
    ),
  );
});

progress('a crowd is spread evenly, at most 25 lines a second', () => {
  const ids = Array.from({ length: 10_000 }, (_, index) => `build-${index}`);
  const period = progressPeriodMs(ids.length, 5_000);
  assert.is(period, 400_000);
  const start = 1_770_000_000_000;
  const rounds = Array.from({ length: period / 5_000 }, (_, round) => start + round * 5_000);
  const lines = rounds.map(from => ids.filter(id => isDue(id, period, from, from + 5_000)).length);
  assert.is(
    lines.reduce((sum, count) => sum + count, 0),
    ids.length,
  );
  assert.ok(Math.max(...lines) < 2 * 125, `${Math.max(...lines)} lines in one round`);
  assert.ok(Math.min(...lines) > 125 / 2, `${Math.min(...lines)} lines in one round`);
});

progress.run();

const texts = suite('failureFromText');

texts('reads back what a transient error says, however a host wrapped it', () => {
  for (const stage of stages) {
    const error = new TransientError('BatchUnavailable', stage, 'Batch is away.');
    const read = failureFromText(`Activity function 'x' failed: ${error.message}\n   at stack`, 'online');
    assert.equal(read, { code: 'BatchUnavailable', stage, message: 'Batch is away.', retryable: true });
  }
});

texts('carries how long the service asked to be left alone, and shows it to nobody', () => {
  const error = new TransientError('AzDOThrottled', 'registration', 'Too many calls.', 90_000.5);
  for (const text of [error.message, `The activity function 'x' failed: "${error.message}". See the logs.`]) {
    assert.is(retryAfterFromText(text), 90_001);
    assert.not.match(failureFromText(text, 'online').message, /retry|90/);
    assert.is(failureFromText(text, 'online').stage, 'registration');
  }
  assert.is(error.failure.message, 'Too many calls.');
  for (const text of ['Away.', new TransientError('BatchUnavailable', 'createTask', 'Away.').message]) {
    assert.is(retryAfterFromText(text), undefined);
  }
});

texts('names a step that failed in words of its own', () => {
  const read = failureFromText('Cannot read properties of undefined', 'callback');
  assert.is(read.code, 'InternalError');
  assert.is(read.stage, 'callback');
});

texts.run();

const names = suite('names');

names('keep the limits of Batch for every request id', () => {
  assert.ok(agentNameOf('a'.repeat(40), 9_999).length <= 64);
  assert.ok(batchJobIdOf('p'.repeat(20), dayOf('2026-01-05T08:00:00Z'), 9).length <= 64);
  assert.is(dayOf('2026-01-05T08:00:00Z'), '20260105');
});

names('give every pool a watch of its own, in characters that an instance id may have', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (one, other) => {
      const id = watchIdOf(one);
      return /^[A-Za-z0-9_-]+$/.test(id) && (one === other || id !== watchIdOf(other));
    }),
  );
});

names.run();

const planUrls = suite('planUrlProblem');
const allowed = ['dev.azure.com', '127.0.0.1:8080'];

for (const [url, pattern] of [
  ['https://dev.azure.com/contoso/', undefined],
  ['http://127.0.0.1:8080/local/', undefined],
  ['http://dev.azure.com/contoso/', /https/],
  ['https://dev.azure.com.evil.example/contoso/', /not among/],
  ['https://evil.example/dev.azure.com/', /not among/],
  ['https://dev.azure.com@evil.example/', /user name/],
  ['https://dev.azure.com/contoso/?x=1', /query/],
  ['http://127.0.0.1:9999/', /not among/],
  ['ftp://dev.azure.com/', /https/],
  ['javascript:alert(1)', /https/],
  ['$(system.CollectionUri)', /absolute/],
] as const) {
  planUrls(`${pattern ? 'refuses' : 'takes'} ${url}`, () => {
    const problem = planUrlProblem(url, allowed);
    if (pattern) assert.match(problem ?? '', pattern);
    else assert.is(problem, undefined);
  });
}

planUrls.run();

const images = suite('images');

images('replace the tag and leave the port of a registry alone', () => {
  assert.is(imageName('reg.azurecr.io', 'azdo-agent:x'), 'reg.azurecr.io/azdo-agent:x');
  assert.is(imageName('reg.azurecr.io', 'azdo-agent:x', 'y'), 'reg.azurecr.io/azdo-agent:y');
  assert.is(imageName(undefined, 'team/azdo-agent', 'y'), 'team/azdo-agent:y');
});

images("map the article's fields as the article did: whatever is unknown is the default", () => {
  const table = {
    'windows-latest': { profile: 'windows', tag: 'win' },
    default: { profile: 'ubuntu', tag: 'ubu' },
  };
  assert.equal(articleImage(table, 'windows-latest', 'net60'), { profile: 'windows', tag: 'win-net60' });
  assert.equal(articleImage(table, 'constructor', undefined), { profile: 'ubuntu', tag: 'ubu' });
  assert.equal(articleImage(table, undefined, ''), { profile: 'ubuntu', tag: 'ubu' });
});

images.run();

const deadLetters = suite('deadLetterMessage');
const failure = { code: 'X', stage: 'intake', message: 'm', retryable: false } as const;
const letterSchema = z.looseObject({ message: z.string().optional(), messageBase64: z.string().optional() });
const about = { requestId: 'r', generation: 1, profile: 'p' };

deadLetters('carries the original byte for byte, whatever the bytes are', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2_000 }), bytes => {
      const letter = letterSchema.parse(JSON.parse(deadLetterMessage(about, failure, bytes, 'now')));
      const original =
        letter.messageBase64 === undefined
          ? Buffer.from(letter.message ?? '')
          : Buffer.from(letter.messageBase64, 'base64');
      return original.equals(bytes);
    }),
  );
});

deadLetters('fits a queue message even when the original fills one', () => {
  const letter = deadLetterMessage(about, failure, new Uint8Array(64 * 1024).fill(200), 'now');
  assert.ok(letter.length < 64 * 1024);
  assert.ok(letter.includes('"messageInTable":true'));
});

deadLetters.run();

const ends = suite('lostAgent');

for (const [code, expected, retryable] of [
  [{ failureCode: 'ContainerInvalidImage' }, 'ImagePullFailed', true],
  [{ failureCode: 'ContainerInvalidRegistry' }, 'ImagePullFailed', true],
  [{ failureCode: 'ContainerInvalidSettings' }, 'ContainerSettingsInvalid', false],
  [{ failureCode: 'ContainerMiscError' }, 'ContainerFailed', true],
  [{ failureCode: 'containerMiscError' }, 'ContainerFailed', true],
  [{ failureCode: 'CommandProgramNotFound' }, 'AgentCommandMissing', false],
  [{ failureCode: 'CommandLaunchFailed' }, 'AgentLaunchFailed', true],
  [{ failureCode: 'DiskFull' }, 'NodeDiskFull', true],
  [{ failureCode: 'ResourceFileNotFound' }, 'TaskFilesUnavailable', true],
  [{ failureCode: 'ApplicationPackageError' }, 'TaskFilesUnavailable', true],
  [{ failureCode: 'SomethingNew' }, 'ContainerFailed', true],
  [{ failureCode: 'TaskEnded' }, 'TaskTimedOut', true],
  [{ failureCode: 'TaskEnded', exitCode: 137 }, 'TaskTimedOut', true],
  [{ failureCode: 'FailureExitCode', exitCode: 3 }, 'AgentStartFailed', true],
  [{ exitCode: 0 }, 'AgentExitedEarly', true],
] as const) {
  ends(`names ${JSON.stringify(code)} ${expected}`, () => {
    const failed = lostAgent(
      { kind: 'taskEnded', attempt: 1, ranJob: false, ...code },
      false,
      'no such thing',
    );
    assert.is(failed.code, expected);
    assert.is(failed.retryable, retryable);
    assert.match(failed.message, 'no such thing', 'the last words are missing');
  });
}

ends('tells the last words of a container', () => {
  const failed = lostAgent(
    { kind: 'taskEnded', attempt: 1, ranJob: false, exitCode: 3 },
    false,
    'TF401444: refused',
  );
  assert.match(failed.message, 'TF401444: refused');
});

ends('gives a lost node its own name, before and after the agent was online', () => {
  for (const [wasOnline, stage] of [
    [false, 'nodeAllocation'],
    [true, 'online'],
  ] as const) {
    const failed = lostAgent({ kind: 'nodeLost', attempt: 1, ranJob: false }, wasOnline, undefined);
    assert.equal([failed.code, failed.stage, failed.retryable], ['NodePreempted', stage, true]);
  }
});

ends.run();

const capabilities = suite('isReservedCapability');

capabilities('keeps what steers a container from callers, whatever its case', () => {
  for (const name of [
    'AZDO_TOKEN',
    'azdo_url',
    'VSTS_AGENT_INPUT_TOKEN',
    'Path',
    'NODE_OPTIONS',
    'LD_PRELOAD',
    '__proto__',
  ]) {
    assert.ok(isReservedCapability(name), name);
  }
});

capabilities('leaves what jobs demand', () => {
  for (const name of ['AGENT_FOR', 'NODE_VERSION', 'DOTNET_VERSION', 'PYTHON', 'java', 'Docker']) {
    assert.not.ok(isReservedCapability(name), name);
  }
});

capabilities.run();
