import * as uvu from 'uvu';
import { record } from './record.js';

/**
 * uvu with its eyes open: the same API, and each declaration, start, end and throw is recorded where it happens.
 * uvu's own totals can't be trusted: a `return` in its `finally` swallows what `before` and `after.each` throw,
 * and it knows nothing of a suite whose `.run()` was forgotten.
 */
type Callback<T> = uvu.Callback<T>;

const messageOf = (error: unknown): string => {
  const text = error instanceof Error ? error.message || error.name : String(error);
  return text.split('\n')[0] ?? '';
};

let suites = 0;

function watch<T>(inner: uvu.Test<T>, name: string, announce: boolean): uvu.Test<T> {
  const id = suites++;
  let announced = false;
  let tests = 0;
  let current: number | undefined;
  const declare = (): void => {
    if (announced) return;
    announced = true;
    record({ type: 'suite', suite: id, name });
  };
  if (announce) declare();

  const watchedTest = (title: string, handler: Callback<T>, only: boolean): Callback<T> => {
    declare();
    const test = tests++;
    record({ type: 'test', suite: id, test, name: title, only });
    return async context => {
      current = test;
      record({ type: 'start', suite: id, test });
      try {
        await handler(context);
      } catch (error) {
        record({ type: 'fail', suite: id, test, message: messageOf(error) });
        throw error;
      }
      record({ type: 'pass', suite: id, test });
    };
  };

  const watchedHook = (hook: string, handler: Callback<T>): Callback<T> => {
    declare();
    return async context => {
      try {
        await handler(context);
      } catch (error) {
        const test = hook === 'after.each' ? current : undefined;
        record({
          type: 'hook',
          suite: id,
          ...(test === undefined ? {} : { test }),
          hook,
          message: messageOf(error),
        });
        throw error;
      }
    };
  };

  return Object.assign(
    (title: string, handler: Callback<T>): void => inner(title, watchedTest(title, handler, false)),
    {
      only: (title: string, handler: Callback<T>): void =>
        inner.only(title, watchedTest(title, handler, true)),
      skip: (title = '', handler?: Callback<T>): void => {
        declare();
        record({ type: 'skip', suite: id, name: title });
        inner.skip(title, handler);
      },
      before: Object.assign((handler: Callback<T>): void => inner.before(watchedHook('before', handler)), {
        each: (handler: Callback<T>): void => inner.before.each(watchedHook('before.each', handler)),
      }),
      after: Object.assign((handler: Callback<T>): void => inner.after(watchedHook('after', handler)), {
        each: (handler: Callback<T>): void => inner.after.each(watchedHook('after.each', handler)),
      }),
      run: (): void => {
        declare();
        record({ type: 'run', suite: id });
        inner.run();
      },
    },
  );
}

export function suite<T = uvu.Context>(title = '', context?: T): uvu.Test<T> {
  return watch(uvu.suite(title, context), title, true);
}

/** uvu's nameless suite, which exists whether or not a file uses it. */
export const test = watch(uvu.test, '', false);

export { exec } from 'uvu';
