import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { apiFiles, apiFolder } from './openapi/files.js';
import { root } from './root.js';

/** `npm run openapi`: writes the copies of the API's documents that other systems take. */
await mkdir(join(root, apiFolder), { recursive: true });
for (const [name, text] of apiFiles()) {
  await writeFile(join(root, apiFolder, name), text);
  console.log(`${apiFolder}/${name}`);
}
