import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { buildPage, pageModule } from './dashboard/build-page.js';
import { root } from './root.js';

/** Makes the operators' page, where the compiled app looks for it. `npm run build`, and every npm script before it runs. */
const file = join(root, 'dist', 'shared', 'dashboard', 'built-page.js');
await mkdir(dirname(file), { recursive: true });
await writeFile(file, pageModule(await buildPage()));
