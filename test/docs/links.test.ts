import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { root } from '../../scripts/root.js';
import { anchorsOf, linksOf, readDocuments, targetOf } from './read-documents.js';

const links = suite('links between documents');

links('lead to files and headings that are there', async () => {
  const documents = await readDocuments();
  const anchors = new Map(documents.map(document => [document.path, anchorsOf(document)]));
  const broken = documents.flatMap(document =>
    linksOf(document)
      .filter(link => {
        const target = targetOf(document.path, link);
        if (!target) return false;
        if (!existsSync(join(root, target.path))) return true;
        return target.anchor !== undefined && !anchors.get(target.path)?.has(target.anchor);
      })
      .map(link => `${document.path}: ${link}`),
  );
  assert.equal(broken, []);
});

links('lead to every page of the documents from the README', async () => {
  const documents = await readDocuments();
  const readme = documents.find(({ path }) => path === 'README.md');
  assert.ok(readme);
  const linked = new Set(linksOf(readme).map(link => targetOf('README.md', link)?.path));
  const unknown = documents.map(({ path }) => path).filter(path => path.startsWith('.github/docs/'));
  assert.equal(
    unknown.filter(path => !linked.has(path)),
    [],
  );
});

links('were looked for where there are some', async () => {
  const documents = await readDocuments();
  assert.ok(documents.length > 10, `only ${documents.length} documents were seen`);
  assert.ok(documents.flatMap(linksOf).length > 100);
});

links.run();

const anchors = suite('anchorsOf');

anchors('are spelt as GitHub spells them', () => {
  const prose =
    '# The `--docs` way\n\n## 1. Callers, to *the* intake\n## What\n## What\n## See [it](x.md) — now\n';
  assert.equal(
    [...anchorsOf({ path: 'x.md', text: prose, prose })],
    ['the---docs-way', '1-callers-to-the-intake', 'what', 'what-1', 'see-it--now'],
  );
});

anchors.run();
