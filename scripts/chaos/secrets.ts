import type { Stack } from '../local/stack/stack.js';
import { findInFiles } from './scan.js';

/**
 * Looks for secrets in everything that the stack has stored and printed.
 *
 * @param canary what every pipeline's job token contains.
 * @returns a sentence for each place where one is found and does not belong.
 */
export async function findSecrets(stack: Stack, canary: string): Promise<readonly string[]> {
  const secrets = [
    { name: "a pipeline's job token", text: canary, home: [] },
    // The task's environment is where an agent gets it from, and Batch keeps that.
    { name: 'the personal access token', text: stack.pat, home: [/^devops\/pat /, /^batch\/journal/] },
    // A pipeline holds the key with which it calls.
    {
      name: 'the function key',
      text: stack.functionKey,
      home: [/^host\/keys\.json /, /^devops\/journal\.jsonl /],
    },
    {
      name: "the Batch account's key",
      text: stack.settings['BatchAccountKey'] ?? '',
      home: [/^batch\/account-key /],
    },
    {
      name: 'the key of sealed tokens',
      text: stack.settings['CallbackTokenKey'] ?? '',
      home: [/^host\/callback-token\.key /],
    },
  ];
  const findings: string[] = [];
  for (const { name, text, home } of secrets) {
    if (text === '') throw new Error(`There is no ${name} to look for.`);
    const places = await findInFiles(stack.dataDir, text);
    const strange = places.filter(place => !home.some(own => own.test(place.replaceAll('\\', '/'))));
    findings.push(...strange.map(place => `${name} is found in ${place}.`));
  }
  return findings;
}
