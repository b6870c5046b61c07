import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as z from 'zod';
import { apiFiles, apiFolder, outdatedApiFiles } from '../../scripts/openapi/files.js';
import { lintOpenApi } from '../../scripts/openapi/lint.js';
import { writeApiFiles } from '../../scripts/openapi/write.js';
import { root } from '../../scripts/root.js';
import { showOpenApi } from '../../shared/api/show-openapi.js';
import { deadLetterMessage } from '../../shared/domain/dead-letter.js';
import { queueMessageSchema, requestBodySchema } from '../../shared/input/request-body.js';
import { makeOpenApiDocument, openApiText } from '../../shared/openapi/document.js';
import { deadLetterMessages } from '../../shared/openapi/examples.js';
import { messageSchemas } from '../../shared/openapi/message-schemas.js';
import { fail } from '../contracts/fail.js';
import { apiCall } from '../fakes/api-call.js';
import { mustBeMessage } from '../support/documented-message.js';
import { makeTempFolder } from '../support/temp-folder.js';

const JsonObject = z.record(z.string(), z.unknown());
const document = JsonObject.parse(JSON.parse(openApiText()));

/** Whatever is at a place of the document. */
function at(...path: readonly string[]): Record<string, unknown> {
  let found: unknown = document;
  for (const name of path) found = JsonObject.parse(found)[name];
  return JsonObject.parse(found);
}

const linting = suite('the OpenAPI document');

linting('has nothing that the linter minds', async () => {
  assert.equal(await lintOpenApi(openApiText()), []);
});

const breakages: readonly { what: string; from: string; to: string; says: RegExp }[] = [
  {
    what: 'an operation without a name',
    from: '"operationId": "getAgent"',
    to: '"x-was": "getAgent"',
    says: /\/agents\/{requestId}|operationId/,
  },
  {
    what: 'two operations of one name',
    from: '"operationId": "getAgent"',
    to: '"operationId": "listAgents"',
    says: /operationId/,
  },
  {
    what: 'a reference to nothing',
    from: '"$ref": "#/components/schemas/AgentRequestPage"',
    to: '"$ref": "#/components/schemas/Gone"',
    says: /Gone|resolve/,
  },
  {
    what: 'an example that is none',
    from: '"state": "online",\n',
    to: '"state": "sleeping",\n',
    says: /[Ee]xample.*state/s,
  },
  {
    what: 'an example of a body with a field that is not known',
    from: '"attempt": "1.1",\n',
    to: '"attemt": "1.1",\n',
    says: /[Ee]xample/,
  },
  {
    what: 'a security scheme that is not there',
    from: '"functionKeyHeader": []',
    to: '"badge": []',
    says: /badge|security/,
  },
];
for (const { what, from, to, says } of breakages) {
  linting(`is refused with ${what}`, async () => {
    const broken = openApiText().replace(from, to);
    assert.is.not(broken, openApiText(), 'nothing was broken');
    const problems = await lintOpenApi(broken);
    assert.ok(problems.length > 0, 'the linter minds nothing');
    assert.match(problems.join('\n'), says);
  });
}

linting('says everything of every operation', () => {
  const operations = Object.values(at('paths')).flatMap(path => Object.values(JsonObject.parse(path)));
  assert.ok(operations.length >= 15, `${operations.length} operations`);
  for (const each of operations) {
    const operation = JsonObject.parse(each);
    const name = String(operation['operationId']);
    for (const field of ['operationId', 'summary', 'description', 'security', 'tags', 'responses']) {
      assert.ok(field in operation, `${name} lacks ${field}`);
    }
    const body = operation['requestBody'] === undefined ? [] : [JsonObject.parse(operation['requestBody'])];
    const responses = Object.values(JsonObject.parse(operation['responses'])).map(response => {
      const { $ref } = JsonObject.parse(response);
      return typeof $ref === 'string' ? at(...$ref.split('/').slice(1)) : JsonObject.parse(response);
    });
    for (const { content } of [...body, ...responses]) {
      for (const [type, media] of Object.entries(JsonObject.parse(content ?? {}))) {
        if (name === 'getOpenApi') continue;
        const { examples } = JsonObject.parse(media);
        assert.ok(
          Object.keys(JsonObject.parse(examples ?? {})).length > 0,
          `${name}: ${type} without example`,
        );
      }
    }
  }
});

linting('takes a key wherever the app does, and says where it takes none', () => {
  const open = Object.entries(at('paths')).flatMap(([path, methods]) =>
    Object.values(JsonObject.parse(methods))
      .filter(operation => z.array(z.unknown()).parse(JsonObject.parse(operation)['security']).length === 0)
      .map(() => path),
  );
  assert.equal(open, ['/health', '/help', '/help/{code}', '/openapi.json']);
});

linting.run();

const agreeing = suite('the schemas that are published');

const body = z.fromJSONSchema(at('components', 'schemas', 'AgentRequestBody'));
const message = z.fromJSONSchema({ ...messageSchemas()['agent-request-message.schema.json'] });
const many = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`N${index}`, 'x']));
const bodies: readonly (readonly [what: string, value: unknown, good: boolean])[] = [
  ['nothing', {}, true],
  ['an id', { requestId: 'a-1' }, true],
  ['an id that is none', { requestId: 'A_1' }, false],
  ['a long id', { requestId: 'a'.repeat(41) }, false],
  ['a field that is not known', { capabilitys: {} }, false],
  ['no time', { timeoutMinutes: 0 }, false],
  ['too much time', { timeoutMinutes: 121 }, false],
  ['a number as text', { timeoutMinutes: '5' }, false],
  ['64 capabilities', { capabilities: many(64) }, true],
  ['65 capabilities', { capabilities: many(65) }, false],
  ['a capability that is no name', { capabilities: { '1A': 'x' } }, false],
  ['a long value', { capabilities: { A: 'x'.repeat(1_024) } }, false],
  ['a line break in a value', { capabilities: { A: 'x\ny' } }, false],
  ['33 tags', { tags: many(33) }, false],
  ['a tag that is no text', { tags: { a: 1 } }, false],
  ['a long attempt', { attempt: 'x'.repeat(257) }, false],
  ['a type that is null', { AgentOSType: null }, true],
  ['a tag of an image that is none', { AgentBuildType: 'a b' }, false],
  ['no object', [], false],
];
for (const [what, value, good] of bodies) {
  agreeing(`${good ? 'take' : 'refuse'} what the app does: ${what}`, () => {
    assert.is(requestBodySchema.safeParse(value).success, good);
    assert.is(body.safeParse(value).success, good);
    const sent = Array.isArray(value) ? value : { version: 1, ...JsonObject.parse(value) };
    assert.is(queueMessageSchema.safeParse(sent).success, good);
    assert.is(message.safeParse(sent).success, good);
  });
}

agreeing('know one version of the message', () => {
  for (const version of [2, '1', undefined]) assert.not.ok(message.safeParse({ version }).success);
});

agreeing('have examples that are what they say', () => {
  for (const [name, schema] of Object.entries(messageSchemas())) {
    const check = z.fromJSONSchema({ ...schema });
    const examples = z.array(z.unknown()).min(1).parse(JsonObject.parse(schema)['examples']);
    for (const example of examples) assert.ok(check.safeParse(example).success, name);
  }
});

agreeing('are the same, however often they are made', () => {
  const again = messageSchemas();
  assert.is(JSON.stringify(makeOpenApiDocument()), JSON.stringify(document));
  assert.is(JSON.stringify(messageSchemas()), JSON.stringify(again));
});

agreeing('describe every form of a dead letter', () => {
  const [letter] = deadLetterMessages;
  const failure = letter?.failure ?? fail('there is no example');
  const originals = ['{"version":1}', Uint8Array.from([0xff, 0, 0x41]), 'x'.repeat(65 * 1_024)];
  for (const original of originals) {
    const bytes = typeof original === 'string' ? new TextEncoder().encode(original) : original;
    const request = { requestId: 'r-1', generation: 1, profile: '' };
    mustBeMessage(
      'dead-letter.schema.json',
      deadLetterMessage(request, failure, bytes, '2026-01-31T10:00:00.000Z'),
    );
  }
  assert.throws(() => mustBeMessage('dead-letter.schema.json', JSON.stringify({ ...letter, more: 1 })));
});

agreeing.run();

const committed = suite(`the files of ${apiFolder}`);

committed('are what the schemas say', async () => {
  assert.equal(await outdatedApiFiles(root), []);
});

committed('are told of when they are missing, changed or too many', async () => {
  const folder = await makeTempFolder('api-');
  try {
    assert.is((await outdatedApiFiles(folder.path)).length, apiFiles().size);
    await writeApiFiles(folder.path);
    assert.equal(await outdatedApiFiles(folder.path), []);
    await writeFile(join(folder.path, apiFolder, 'openapi.json'), `${openApiText()} `);
    await writeFile(join(folder.path, apiFolder, 'other.json'), '{}');
    assert.equal(await outdatedApiFiles(folder.path), [
      'infra/api/other.json is no file of the API.',
      'infra/api/openapi.json is not what the schemas say: run `npm run openapi`.',
    ]);
  } finally {
    await folder.remove();
  }
});

committed.run();

const serving = suite('GET /api/openapi.json');

serving('makes the document when it is asked for first, and once', async () => {
  let made = 0;
  const show = showOpenApi(async () => {
    made += 1;
    return openApiText();
  });
  assert.is(made, 0);
  const first = await show(apiCall());
  const second = await show(apiCall());
  assert.is(made, 1);
  assert.is(first.status, 200);
  assert.is(first.body, openApiText());
  assert.equal(first, second);
  assert.is(first.headers['content-type'], 'application/json; charset=utf-8');
  assert.match(first.headers['cache-control'] ?? '', /max-age=\d+/);
});

serving('answers 304 to whoever has it', async () => {
  const show = showOpenApi(async () => 'text');
  const { etag = '' } = (await show(apiCall())).headers;
  for (const known of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
    const answer = await show(apiCall({ headers: { 'if-none-match': known } }));
    assert.is(answer.status, 304, known);
    assert.is(answer.body, '');
    assert.is(answer.headers['etag'], etag);
  }
  assert.is((await show(apiCall({ headers: { 'if-none-match': '"other"' } }))).status, 200);
});

serving.run();
