import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as z from 'zod';
import { readSources } from '../../scripts/checks/read-sources.js';
import { root } from '../../scripts/root.js';
import { activities } from '../../shared/activities/index.js';
import { type Metric, metrics } from '../../shared/telemetry/metrics.js';
import { stepFields, steps } from '../../shared/telemetry/steps.js';

const folder = join(root, 'infra', 'monitoring');
const read = (path: string): string => readFileSync(join(folder, path), 'utf8');
const queryFiles = readdirSync(join(folder, 'queries'));
const queries = new Map(queryFiles.map(file => [file, withoutComments(read(`queries/${file}`))]));

function withoutComments(query: string): string {
  return query.replaceAll(/^\s*\/\/.*$/gm, '');
}

const matches = (text: string, pattern: RegExp): readonly string[] =>
  [...text.matchAll(pattern)].map(match => match[1] ?? '');

const known: Readonly<Record<string, Metric>> = metrics;
const namesIn = (query: string): readonly string[] => matches(query, /name == "([^"]+)"/g);
const fieldsIn = (query: string): readonly string[] => matches(query, /customDimensions\.(\w+)/g);
const isMetric = (name: string): boolean => name.startsWith('agents.');

const monitoring = suite('the queries of the workbook and the alerts');

for (const [file, query] of queries) {
  monitoring(`${file} asks for what there is`, () => {
    const names = namesIn(query);
    const stepNames: readonly string[] = [...Object.values(steps), ...Object.keys(activities)];
    for (const name of names) {
      assert.ok(isMetric(name) ? Object.hasOwn(known, name) : stepNames.includes(name), name);
    }
    const asked = names.filter(isMetric).flatMap(name => known[name]?.fields ?? []);
    const allowed: readonly string[] = asked.length > 0 ? asked : stepFields;
    for (const field of fieldsIn(query)) assert.ok(allowed.includes(field), field);
    assert.is(/\bcustomMetrics\b/.test(query), names.some(isMetric), 'metrics are in customMetrics');
  });
}

monitoring('ask for every metric', () => {
  const asked = new Set([...queries.values()].flatMap(namesIn));
  assert.equal(
    Object.keys(metrics).filter(name => !asked.has(name)),
    [],
  );
});

monitoring('ask for what the code measures, and the code measures nothing else', async () => {
  const sources = [...(await readSources(root))].filter(([path]) => /^(?:shared|functions)\//.test(path));
  const measured = sources.flatMap(([, text]) => matches(text, /\.(?:count|record)\(\s*'(agents\.[^']+)'/g));
  assert.equal([...new Set(measured)].toSorted(), Object.keys(metrics).toSorted());
});

monitoring('and the page about telemetry know the same metrics, steps and fields', () => {
  const page = readFileSync(join(root, '.github', 'docs', 'telemetry.md'), 'utf8');
  for (const name of [
    ...Object.keys(metrics),
    ...Object.values(steps),
    ...Object.keys(activities),
    ...stepFields,
  ])
    assert.ok(page.includes(`\`${name}\``), name);
  assert.equal(
    matches(page, /`(agents\.[a-z_.]+)`/g).filter(name => !Object.hasOwn(known, name)),
    [],
  );
});

monitoring('keep requests out of the fields of metrics, of which there would be no end', () => {
  for (const [name, { fields }] of Object.entries(known)) {
    for (const field of fields) assert.not.match(field, /requestId|attempt|agentName|traceId/, name);
  }
});

const Workbook = z.object({
  items: z.array(
    z.object({
      type: z.number(),
      name: z.string(),
      content: z.looseObject({ query: z.string().optional() }),
    }),
  ),
});

monitoring('are in the workbook as they are in their files', () => {
  const { items } = Workbook.parse(JSON.parse(read('workbook.json')));
  const shown = items.filter(({ type }) => type === 3);
  for (const { name, content } of shown) {
    assert.is(content.query, read(name), `${name} and workbook.json differ: copy the file into it`);
  }
  assert.equal(
    shown.map(({ name }) => name.replace('queries/', '')).toSorted(),
    queryFiles.filter(file => !file.startsWith('alert-')).toSorted(),
  );
});

monitoring('are what the alert rules ask', () => {
  const loaded = matches(read('alerts.bicep'), /loadTextContent\('queries\/([^']+)'\)/g);
  assert.equal(loaded.toSorted(), queryFiles.filter(file => file.startsWith('alert-')).toSorted());
  // The dimension that a rule splits by must be a column of its query's answer.
  const rules = [
    ...read('alerts.bicep').matchAll(/loadTextContent\('queries\/([^']+)'\)\s+dimension: '(\w+)'/g),
  ];
  assert.is(rules.length, loaded.length);
  for (const [, file = '', dimension = ''] of rules)
    assert.match(queries.get(file) ?? '', new RegExp(`\\b${dimension}\\b`), file);
});

monitoring.run();
