import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { bindingDataOf, resolveExpressions } from '../../../scripts/local/host/outputs/binding-data.js';

const test = suite('Binding expressions');

const dataOf = (json: unknown) =>
  bindingDataOf(
    {
      inputData: [{ name: 'input', data: { json: JSON.stringify(json) } }],
      triggerMetadata: { DequeueCount: { json: '2' } },
    },
    'input',
  );

test('name fields of what triggered the function, at any depth and in any case', () => {
  const data = dataOf({ backupPath: 'a/b.txt', inner: { Id: 7 } });
  assert.is(
    resolveExpressions('backups/{BackupPath}-{inner.id}-{dequeueCount}', data, 'It'),
    'backups/a/b.txt-7-2',
  );
});
test('name a plain value by its binding', () => {
  assert.is(resolveExpressions('x-{input}', dataOf('text'), 'It'), 'x-text');
});
test('name route parameters, query and headers of a request', () => {
  const http = {
    method: 'GET',
    url: 'http://host/api/x?size=big',
    headers: { 'x-one': '1' },
    params: { id: '5' },
  };
  const data = bindingDataOf({ inputData: [{ name: 'request', data: { http } }] }, 'request');
  assert.is(resolveExpressions('{id}/{Query.size}/{headers.x-one}', data, 'It'), '5/big/1');
});
test('make ids and times', () => {
  assert.match(resolveExpressions('{rand-guid}', {}, 'It'), /^[0-9a-f-]{36}$/);
  assert.match(resolveExpressions('{DateTime}', {}, 'It'), /^\d{4}-\d\d-\d\dT/);
});
test('that name nothing are refused, with the binding that does it', () => {
  assert.throws(
    () => resolveExpressions('{absent}', dataOf({}), 'The blob output of "f"'),
    'The blob output of "f" names {absent}',
  );
});

test.run();
