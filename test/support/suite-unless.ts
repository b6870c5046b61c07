import { suite, type Test } from 'uvu';

/**
 * A suite that not every machine can run. Where there is a reason why not, its tests are skipped, each with the reason in
 * its name, so that the run says at its end what was not tested and why.
 */
export function suiteUnless(reason: string | undefined, title: string): Test {
  const inner = suite(title);
  if (reason === undefined) return inner;
  const skip = (name = ''): void => inner.skip(`${name} — ${reason}`);
  const never = Object.assign(() => {}, { each: () => {} });
  return Object.assign(skip, { only: skip, skip, before: never, after: never, run: () => inner.run() });
}
