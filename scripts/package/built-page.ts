import type { Plugin } from 'esbuild';
import { buildPage, pageModule } from '../dashboard/build-page.js';

/** Puts the operators' page into the bundle: it is made of other sources than the app, and has none of its own. */
export const builtPage: Plugin = {
  name: 'built-page',
  setup(build) {
    build.onResolve({ filter: /\/built-page\.js$/ }, ({ path }) => ({ path, namespace: 'built-page' }));
    build.onLoad({ filter: /.*/, namespace: 'built-page' }, async () => ({
      contents: pageModule(await buildPage()),
    }));
  },
};
