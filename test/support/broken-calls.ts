import * as fc from 'fast-check';
import { guid, oddText, someToken } from './junk.js';

/** A call to the intake, and what must be told of it: every offending field or header, and nothing else. */
export interface JudgedCall {
  readonly body: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;
  /** E.g. `body tags` or `header PlanId`, sorted; none: it must be accepted. */
  readonly wrong: readonly string[];
  /** What a pipeline sent as its token; undefined: no pipeline asks. */
  readonly token: string | undefined;
}

const text = (maxLength: number): fc.Arbitrary<string> => fc.string({ unit: 'grapheme', maxLength });
const optional = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined });

const goodBody = fc.record({
  profile: optional(fc.constantFrom('ubuntu', 'windows')),
  requestId: optional(fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,39}$/)),
  capabilities: optional(
    fc.dictionary(fc.stringMatching(/^X_[A-Za-z0-9_.]{0,20}$/), text(30), { maxKeys: 4 }),
  ),
  timeoutMinutes: optional(
    fc.oneof(fc.integer({ min: 1, max: 120 }), fc.double({ min: 1, max: 120, noNaN: true })),
  ),
  attempt: optional(text(40)),
  callback: optional(fc.constant(false)),
  tags: optional(
    fc.dictionary(
      text(20).filter(name => name !== '' && name !== '__proto__'),
      text(60),
      { maxKeys: 4 },
    ),
  ),
});

/** @param planUrl one that is allowed. */
const goodHeaders = (planUrl: string): fc.Arbitrary<Record<string, string>> =>
  fc.record({
    PlanUrl: fc.constantFrom(planUrl, planUrl.replace(/\/$/, '')),
    ProjectId: guid,
    HubName: fc.constantFrom('build', 'Build', 'gates'),
    PlanId: guid,
    JobId: guid,
    TimelineId: guid,
    TaskInstanceId: guid,
    AuthToken: someToken,
  });

const badBody: Readonly<Record<string, readonly unknown[]>> = {
  profile: ['', 'macos', 'x'.repeat(65), 7, null, [], {}, '__proto__', 'toString'],
  requestId: ['', 'Upper', '-x', 'a'.repeat(41), 'a/../b', 'a b', 'ä', 1, null, {}, '$(Build.BuildId)'],
  timeoutMinutes: [0, 0.999, 120.001, -1, 1e308, '30', true, null, [30]],
  attempt: ['x'.repeat(257), 1, null, [], '\ud800'],
  callback: ['false', 0, null, {}],
  capabilities: [
    [],
    'x',
    1,
    null,
    Object.fromEntries(Array.from({ length: 65 }, (_, index) => [`C${index}`, ''])),
  ],
  tags: [[], 'x', 1, null, Object.fromEntries(Array.from({ length: 33 }, (_, index) => [`t${index}`, '']))],
};

const badHeaders: Readonly<Record<string, readonly string[]>> = {
  PlanUrl: [
    'x',
    'https://evil.example/',
    'http://evil.example/',
    'file:///etc/passwd',
    '$(system.CollectionUri)',
  ],
  HubName: ['a/b', 'x'.repeat(33), '..', '$(system.HostType)', 'bu ild'],
  AuthToken: ['$(system.AccessToken)', 'canary two words', `canary${'x'.repeat(16_400)}`, 'canary\u00e9'],
};
const badGuid = [
  '1',
  '../..',
  '$(system.PlanId)',
  'g'.repeat(36),
  "' or true",
  '00000000-0000-0000-0000-00000000000',
];

/** A call that is right in everything but the fields and headers that it names. */
export const judgedCall = (planUrl: string): fc.Arbitrary<JudgedCall> =>
  fc
    .record({
      body: goodBody,
      headers: goodHeaders(planUrl),
      fromPipeline: fc.boolean(),
      break: fc.subarray(Object.keys(badBody)),
      unknown: fc.subarray([
        'Profile',
        'version',
        'replyQueue',
        'image',
        'constructor',
        'tags.x',
        'profile.x',
        '',
      ]),
      breakHeaders: fc.subarray(['PlanUrl', 'ProjectId', 'HubName', 'PlanId', 'JobId', 'AuthToken']),
      leaveOut: fc.subarray(['TimelineId', 'TaskInstanceId']),
      kind: fc.constantFrom('good', 'body', 'headers', 'both'),
      pick: fc.nat(),
      odd: oddText,
    })
    .map(each => {
      const { fromPipeline, kind, pick } = each;
      const breaksBody = kind === 'body' || kind === 'both';
      const breaksHeaders = fromPipeline && (kind === 'headers' || kind === 'both');
      const wrong: string[] = [];
      const body: Record<string, unknown> = Object.fromEntries(
        Object.entries(each.body).filter(([, value]) => value !== undefined),
      );
      const headers = fromPipeline ? { ...each.headers } : {};
      if (breaksBody) {
        for (const name of each.break) {
          const values = badBody[name] ?? [];
          body[name] = values[pick % values.length];
          wrong.push(`body ${name}`);
        }
        for (const name of each.unknown) {
          body[name] = each.odd;
          wrong.push(`body ${name}`.trim());
        }
      }
      if (breaksHeaders) {
        for (const name of each.breakHeaders) {
          const values = badHeaders[name] ?? badGuid;
          headers[name] = values[pick % values.length] ?? '';
          wrong.push(`header ${name}`);
        }
        for (const name of each.leaveOut) {
          delete headers[name];
          wrong.push(`header ${name}`);
        }
      }
      return { body, headers, wrong: wrong.toSorted(), token: headers['AuthToken'] };
    });
