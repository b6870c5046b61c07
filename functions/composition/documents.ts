import { onFirstUse } from '../../shared/adapters/on-first-use.js';
import { showOpenApi } from '../../shared/api/show-openapi.js';
import type { BuiltPage } from '../../shared/dashboard/show-page.js';
import { loaded } from './load.js';

/** What is told of the app, and shown of it: larger than the rest, and few instances are ever asked for it. */

export const openApi = showOpenApi(async () => {
  const { openApiText } = await loaded(import('../../shared/openapi/document.js'));
  return openApiText();
});

export const builtPage = onFirstUse(async (): Promise<BuiltPage> => {
  const { page } = await loaded(import('../../shared/dashboard/built-page.js'));
  return page;
});
