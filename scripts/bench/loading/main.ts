/**
 * Loads an app as the process that hosts it would, and says what that took: a program of its own, because an app is
 * loaded once in a process. Nothing but Node.js's own modules may be imported here: they would be counted with it.
 *
 *     node main.js [entry of the app]        without one: what Node.js takes by itself
 */
import Module from 'node:module';
import { pathToFileURL } from 'node:url';

interface Moment {
  /** Since the process began. */
  readonly ms: number;
  /** Of all threads: the compiler and the garbage collector have their own. */
  readonly cpuMs: number;
  readonly rssBytes: number;
}

const now = (): Moment => {
  const ms = performance.now();
  const { user, system } = process.cpuUsage();
  return { ms, cpuMs: (user + system) / 1_000, rssBytes: process.memoryUsage.rss() };
};

let functions = 0;
class Disposable {
  dispose(): void {}
}
/** As much of a host as registering needs. */
const core = {
  version: '3.11.0',
  hostVersion: '4.1040.0',
  Disposable,
  registerFunction: () => {
    functions += 1;
    return new Disposable();
  },
  registerHook: () => new Disposable(),
  setProgrammingModel: () => {},
  getProgrammingModel: () => undefined,
  log: () => {},
};

const load: unknown = Reflect.get(Module, '_load');
if (typeof load !== 'function') throw new Error('This version of Node.js has no Module._load.');
Reflect.set(Module, '_load', function hostLoad(this: unknown, request: unknown, ...rest: unknown[]) {
  const loaded: unknown =
    request === '@azure/functions-core' ? core : Reflect.apply(load, this, [request, ...rest]);
  return loaded;
});

const [entry] = process.argv.slice(2);
if (entry !== undefined) await import(pathToFileURL(entry).href);
const registered = now();

// What the app goes on to load for its first call has come to its end, too, once there is nothing left to do.
process.once('beforeExit', () => {
  console.log(JSON.stringify({ functions, registered, ready: now() }));
});
