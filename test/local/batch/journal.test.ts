import { appendFileSync, readFileSync, statSync, writeFileSync } from 'node:fs';

import { suite } from 'uvu';
import * as assert from 'uvu/assert';

import { Journal } from '../../../scripts/local/batch/journal.js';
import { Scratch } from './support.js';

const journals = suite('journal');
const scratch = new Scratch();
journals.after(() => scratch.remove());

const contents = (file: string): string[] => {
  const { journal, entries } = Journal.open(file);
  journal.close();
  return entries.map(({ kind, key, value }) => `${kind} ${key} ${JSON.stringify(value)}`);
};

journals('holds the last value of each key, readable by its owner only', () => {
  const file = scratch.file('a.jsonl');
  const { journal } = Journal.open(file);
  journal.append('task', 'a', { state: 'active' });
  journal.append('task', 'b', { state: 'active' });
  journal.append('job', 'a', 1);
  journal.append('task', 'a', { state: 'completed' });
  journal.append('task', 'b', null);
  journal.close();
  assert.equal(contents(file), ['task a {"state":"completed"}', 'job a 1']);
  if (process.platform !== 'win32') assert.is(statSync(file).mode & 0o777, 0o600);
});

journals('a write torn by a kill costs that write alone, also for what is written after', () => {
  const file = scratch.file('b.jsonl');
  writeFileSync(file, '["task","a",1]\n["task","b",2]\n["task","c",{"torn":tr');
  const { journal, entries } = Journal.open(file);
  assert.is(entries.length, 2);
  journal.append('task', 'd', 4);
  journal.close();
  assert.equal(contents(file), ['task a 1', 'task b 2', 'task d 4']);
});

journals('forgets what is over when it is opened', () => {
  const file = scratch.file('c.jsonl');
  appendFileSync(file, '["task","a","s3cret"]\n["task","a",null]\n');
  assert.equal(contents(file), []);
  assert.not(readFileSync(file, 'utf8').includes('s3cret'));
});

journals.run();
