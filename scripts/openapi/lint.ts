import { createConfig, lintFromString } from '@redocly/openapi-core';

/**
 * The recommended rules, all of them as errors; among them, that examples are what their schemas say. Nothing is fetched: the
 * document refers to nothing outside itself.
 */
const config = createConfig({
  extends: ['recommended-strict'],
  rules: {
    'operation-description': 'error',
    'parameter-description': 'error',
    // What a path answers to a method that it does not know belongs to no operation.
    'no-unused-components': 'off',
    // Health has no input that could be wrong.
    'operation-4xx-response': 'off',
  },
});

/** @returns what is wrong with an OpenAPI document, each with its place. */
export async function lintOpenApi(text: string): Promise<readonly string[]> {
  const problems = await lintFromString({ source: text, absoluteRef: 'openapi.json', config: await config });
  return problems.map(({ ruleId, message, location }) => {
    const places = location.map(({ pointer }) => pointer ?? '').join(', ');
    return `${places}: ${message.trim()} (${ruleId})`;
  });
}
