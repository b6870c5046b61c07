import type { Plugin } from 'esbuild';
import { buildPageAndTell, pageModule } from '../dashboard/build-page.js';

/**
 * Puts the operators' page into the bundle: it is made of other sources than the app, and has none of its own.
 *
 * @param tell hears which files are in it.
 */
export const builtPage = (tell: (inputs: readonly string[]) => void): Plugin => ({
  name: 'built-page',
  setup(build) {
    build.onResolve({ filter: /\/built-page\.js$/ }, ({ path }) => ({ path, namespace: 'built-page' }));
    build.onLoad({ filter: /.*/, namespace: 'built-page' }, async () => {
      const { page, inputs } = await buildPageAndTell();
      tell(inputs);
      return { contents: pageModule(page) };
    });
  },
});
