import { Command } from 'commander';
import { writeApiFiles } from './openapi/write.js';
import { root } from './root.js';

/** `npm run openapi`: writes the copies of the API's documents that other systems take. */
new Command('npm run openapi --')
  .description("Writes the API's documents into infra/api: OpenAPI, and the schemas of queue messages.")
  .parse();

for (const path of await writeApiFiles(root)) console.log(path);
