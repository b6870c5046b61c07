import type { Plugin } from 'esbuild';

/** By what is required, a package or a file of one: the file that it gets beside the bundle, as that requires it. */
export type PutOff = Readonly<Record<string, string>>;

/**
 * Puts packages off that another package requires while it loads, yet uses only later: in the bundle stands
 * something that requires the real one when it is first touched. Right after the app has loaded there is time for
 * that, so the first call does not have to wait for it either.
 *
 * @param importer the package that requires them; whoever else does gets the real ones.
 */
export function putOff(importer: string, packages: PutOff): Plugin {
  return {
    name: 'put-off',
    setup(build) {
      build.onResolve({ filter: /^[^./]/ }, ({ path, importer: file }) =>
        Object.hasOwn(packages, path) && file.replaceAll('\\', '/').includes(`/node_modules/${importer}/`)
          ? { path, namespace: 'put-off' }
          : undefined,
      );
      build.onResolve({ filter: /.*/, namespace: 'put-off' }, ({ path }) => ({ path, external: true }));
      build.onLoad({ filter: /.*/, namespace: 'put-off' }, ({ path }) => ({
        contents: standIn(packages[path] ?? path),
      }));
    },
  };
}

/** A function, because some packages are one; Node.js keeps what was required, so asking again costs nothing. */
const standIn = (file: string): string => `
const load = () => require(${JSON.stringify(file)});
module.exports = new Proxy(() => {}, {
  get: (_, name) => load()[name],
  has: (_, name) => name in load(),
  apply: (_, self, args) => Reflect.apply(load(), self, args),
});
setImmediate(() => {
  try {
    load();
  } catch {
    // Whoever uses it tries again and gets the reason.
  }
});
`;
