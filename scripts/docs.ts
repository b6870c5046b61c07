import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Command } from 'commander';
import { failureGuides } from '../shared/domain/failure-guide.js';
import { troubleshootingPage } from './docs/troubleshooting.js';
import { root } from './root.js';

/** `npm run docs`: writes the pages that are made from the sources. A test holds the committed ones against these. */
new Command('npm run docs --')
  .description('Writes the pages of the documents that are made from the sources.')
  .parse();

const pages = { '.github/docs/troubleshoot.md': () => troubleshootingPage(failureGuides()) } as const;

for (const [path, make] of Object.entries(pages)) {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), make());
  console.log(`wrote ${path}`);
}
