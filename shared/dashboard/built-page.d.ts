import type { BuiltPage } from './show-page.js';

/** Made of the sources in `page/` by `scripts/dashboard/build-page.ts`, after compilation. */
export const page: BuiltPage;
