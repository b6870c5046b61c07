import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { troubleshootingPage } from '../../scripts/docs/troubleshooting.js';
import { root } from '../../scripts/root.js';
import { failureGuides } from '../../shared/domain/failure-guide.js';

const page = suite('the page of failure codes');
const guides = failureGuides();

page('is what the guide says now; if not, `npm run docs` writes it', async () => {
  const committed = await readFile(join(root, '.github/docs/troubleshoot.md'), 'utf8');
  assert.is(committed, troubleshootingPage(guides));
});

page('has a heading for each code to be linked to, and all that is known of it', () => {
  const text = troubleshootingPage(guides);
  const headings = [...text.matchAll(/^### (\S+)$/gm)].map(([, code]) => code);
  assert.equal(
    headings,
    guides.map(({ code }) => code),
  );
  for (const { code, title, cause, remedy, who, follows } of guides) {
    const section = text.slice(text.indexOf(`### ${code}\n`)).split('\n### ', 1)[0] ?? '';
    for (const part of [title, cause, remedy, who, follows]) assert.ok(section.includes(part), code);
    assert.ok(text.includes(`(#${code.toLowerCase()})`), `${code} is not linked to`);
  }
});

page.run();
