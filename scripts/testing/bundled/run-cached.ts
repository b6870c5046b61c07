import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { cachedDataVersionTag } from 'node:v8';
import { Script } from 'node:vm';

/** What a bundled program may use besides globals; the last two stand where bundle-programs.ts has put them. */
const parameters = ['require', 'module', '__dirname', '__filename', 'importAtRunTime', 'modulesLoaded'];

const startedMs = 1_000;

/**
 * Runs a bundled program with what V8 compiled of it the first time, which is kept beside it: compiling is half of what
 * the start of a bundle costs. What V8 can't use, as it is of another version, it leaves.
 *
 * @param file the bundle, in ASCII, which is read at once, and CommonJS: only scripts can be given what was compiled,
 *   ES modules can't.
 */
export function runCached(file: string): void {
  const cache = `${file}.cache`;
  const cachedData = readIfThere(cache);
  const script = new Script(`(function (${parameters.join(', ')}) {${readFileSync(file, 'latin1')}\n})`, {
    filename: file,
    ...(cachedData ? { cachedData } : {}),
  });
  const keep = (): void => {
    // Whole before it is there under its name: many of the same program start at the same moment.
    const draft = `${cache}.${process.pid}`;
    writeFileSync(draft, script.createCachedData());
    renameSync(draft, cache);
  };
  const flags = cachedDataVersionTag();
  const modulesLoaded = (): void => {
    if (cachedData) return;
    keep();
    // Then it has started, and V8 has compiled more. With flags that it has set since, the next would not be begun.
    setTimeout(() => {
      if (cachedDataVersionTag() === flags) keep();
    }, startedMs).unref();
  };
  const run: unknown = script.runInThisContext();
  if (typeof run !== 'function') throw new TypeError(`${file} is no bundle.`);
  const importAtRunTime = (url: string): Promise<unknown> => import(url);
  Reflect.apply(run, undefined, [
    createRequire(file),
    { exports: {} },
    dirname(file),
    file,
    importAtRunTime,
    modulesLoaded,
  ]);
}

function readIfThere(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch {
    return undefined;
  }
}
