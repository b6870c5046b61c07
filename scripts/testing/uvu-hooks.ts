import type { ResolveHook } from 'node:module';

const watched = new URL('./uvu-watched.js', import.meta.url).href;

/** Gives every importer of uvu the watched one, except the watched one itself. */
export const resolve: ResolveHook = (specifier, context, next) =>
  specifier === 'uvu' && context.parentURL !== watched
    ? { url: watched, shortCircuit: true }
    : next(specifier, context);
