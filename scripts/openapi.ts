import { writeApiFiles } from './openapi/write.js';
import { root } from './root.js';

/** `npm run openapi`: writes the copies of the API's documents that other systems take. */
for (const path of await writeApiFiles(root)) console.log(path);
