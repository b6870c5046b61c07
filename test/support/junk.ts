import { gzipSync } from 'node:zlib';
import * as fc from 'fast-check';

/**
 * What comes in at a door that anybody may knock at. Every property that uses it runs from one seed, so that a failure
 * comes again; fast-check prints the path to it.
 */
export const seed = Number(process.env['JUNK_SEED'] ?? 20_260_131);
/** Of a route or queue at least; those with several properties share them. */
export const inputs = 10_000;
export const shareOf = (properties: number): number => Math.ceil(inputs / properties);

export const guid = fc.uuid();
/** As pipelines send them: no spaces, printable, and easy to find again wherever it should not be. */
export const someToken = fc.stringMatching(/^[A-Za-z0-9_-]{12,40}$/).map(text => `canary.${text}`);

const inheritedNames = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'valueOf',
  'hasOwnProperty',
  '__defineGetter__',
];
export const oddText = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ unit: 'grapheme', maxLength: 20 }),
  fc.constantFrom(
    '',
    ' ',
    '\0',
    '\uFEFF',
    '\uFFFF',
    '\u202E',
    'Ａ',
    'ﬁ',
    "' or true",
    '$(Build.BuildId)',
    '%00',
    '%2e%2e/',
    '../..',
    '\r\nX: y',
    '${jndi:ldap://x}',
    '<script>',
    '-1',
    '1e999',
    '0x10',
    'NaN',
    ...inheritedNames,
  ),
);

const oddNumber = fc.oneof(
  fc.double(),
  fc.maxSafeInteger(),
  fc.constantFrom(0, -0, 1e308, 5e-324, 2 ** 53, -1),
);
/** Values of every kind, with names that objects inherit, nested a few levels. */
const oddValue = fc.letrec(tie => ({
  leaf: fc.oneof(oddText, oddNumber, fc.boolean(), fc.constant(null)),
  value: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    tie('leaf'),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.oneof(oddText, fc.constantFrom(...inheritedNames)), tie('value'), { maxKeys: 4 }),
  ),
})).value;

/** Numbers as JSON can write them and JavaScript can't hold them. */
const numberText = fc.constantFrom(
  '1e999',
  '-1e999',
  '1e-999',
  '123456789012345678901234567890',
  '0.1e1',
  '-0',
  '01',
  '+1',
  '.5',
);

/** An object's JSON text, member by member, so that a name may come twice. */
const objectText = (names: readonly string[]): fc.Arbitrary<string> =>
  fc
    .array(
      fc.tuple(
        fc.oneof(
          { weight: 4, arbitrary: fc.constantFrom(...names) },
          fc.constantFrom(...inheritedNames),
          oddText,
        ),
        fc.oneof({ weight: 4, arbitrary: oddValue.map(value => JSON.stringify(value)) }, numberText),
      ),
      { maxLength: 6 },
    )
    .map(members => `{${members.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(',')}}`);

const nested = fc
  .tuple(fc.constantFrom('[', '{"tags":', '{"__proto__":'), fc.integer({ min: 1, max: 3_000 }))
  .map(([open, depth]) => open.repeat(depth) + (open === '[' ? ']'.repeat(depth) : `1${'}'.repeat(depth)}`));

/** @param names the fields that the reader knows. */
const oddJson = (names: readonly string[]): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 12, arbitrary: objectText(names) },
    { weight: 4, arbitrary: oddValue.map(value => JSON.stringify(value)) },
    { weight: 1, arbitrary: nested },
    { weight: 2, arbitrary: fc.string({ maxLength: 60 }) },
  );

const utf8 = (text: string): Buffer => Buffer.from(text, 'utf8');
const encodings: readonly ((text: string) => Buffer)[] = [
  utf8,
  text => Buffer.from(text, 'latin1'),
  text => Buffer.from(text, 'utf16le'),
  text => Buffer.from(`\uFEFF${text}`, 'utf16le'),
  text => Buffer.from(`\uFEFF${text}`, 'utf8'),
  text => Buffer.from(`\uFEFF\uFEFF${text}`, 'utf8'),
  text => Buffer.from(Buffer.from(text, 'utf8').toString('base64')),
  text => Buffer.from(Buffer.from(text, 'utf16le').toString('base64')),
  text => Buffer.from(Buffer.from(Buffer.from(text, 'utf8').toString('base64')).toString('base64')),
  text => gzipSync(text, { level: 1 }),
  text => Buffer.concat([Buffer.from(text, 'utf8'), Buffer.from([0xff])]),
  text => Buffer.concat([Buffer.from([0xc0, 0x80]), Buffer.from(text, 'utf8')]),
  text => Buffer.from(text, 'utf8').subarray(0, -1),
];

/** The same text in one of many encodings, most often as it should be. */
export const encoded = (text: fc.Arbitrary<string>): fc.Arbitrary<Uint8Array> =>
  fc
    .tuple(
      text,
      fc.oneof({ weight: 6, arbitrary: fc.constant(0) }, fc.nat({ max: encodings.length - 1 })),
      fc.oneof(
        { weight: 200, arbitrary: fc.constant(0) },
        fc.constantFrom(65_534, 65_535, 65_536, 65_537, 90_000),
      ),
    )
    .map(([content, encoding, size]) =>
      Uint8Array.from(
        // Blanks are no part of JSON's meaning, so this alone decides over too large or not.
        (encodings[encoding] ?? utf8)(content.padEnd(size)),
      ),
    );

export const oddBytes = (names: readonly string[]): fc.Arbitrary<Uint8Array> =>
  fc.oneof(
    { weight: 10, arbitrary: encoded(oddJson(names)) },
    { weight: 2, arbitrary: fc.uint8Array({ maxLength: 200 }) },
  );

/** What HTTP lets through in a header, without blanks at its ends. */
export const oddHeader = fc
  .oneof(
    fc.stringMatching(/^[\x20-\x7e]{0,60}$/),
    fc.stringMatching(/^[\x20-\x7e\x80-\xff]{0,60}$/),
    fc.webUrl(),
    guid,
    fc.constantFrom(
      '0',
      ' ',
      '$(system.AccessToken)',
      'null',
      'a, a',
      'x'.repeat(16_384),
      'x'.repeat(16_385),
    ),
  )
  .map(text => text.trim());
