import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openApiText } from '../../shared/openapi/document.js';
import { messageSchemas } from '../../shared/openapi/message-schemas.js';

/** Where the copies are that other systems take. */
export const apiFolder = 'infra/api';

/** What the files of the folder have to be, by their names. */
export const apiFiles = (): ReadonlyMap<string, string> =>
  new Map([
    ['openapi.json', openApiText()],
    ...Object.entries(messageSchemas()).map(
      ([name, schema]) => [name, `${JSON.stringify(schema, undefined, 2)}\n`] as const,
    ),
  ]);

/** @returns a sentence for each file that is not what the schemas say. */
export async function outdatedApiFiles(root: string): Promise<readonly string[]> {
  const folder = join(root, apiFolder);
  const wanted = apiFiles();
  const found: readonly string[] = await readdir(folder).catch(() => []);
  const problems = found
    .filter(name => !wanted.has(name))
    .map(name => `${apiFolder}/${name} is no file of the API.`);
  for (const [name, text] of wanted) {
    const there = found.includes(name) ? await readFile(join(folder, name), 'utf8') : undefined;
    if (there === text) continue;
    const is = there === undefined ? 'is missing' : 'is not what the schemas say';
    problems.push(`${apiFolder}/${name} ${is}: run \`npm run openapi\`.`);
  }
  return problems;
}
