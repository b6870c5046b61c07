import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of package.json: this file is compiled to dist/scripts/root.js. */
export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
