import { join } from 'node:path';
import { suite, type Test } from 'uvu';
import { bicepVersion, findCompiler } from '../../scripts/infra/compiler/find-compiler.js';
import { root } from '../../scripts/root.js';

/** Where `npm run infra:check` keeps its compiler. */
export const cache = join(root, 'dist', 'bicep');

/** The Bicep compiler, if this machine has one or can have one. */
export const compiler = await findCompiler({ env: process.env, cache });

/** A suite that needs the compiler: its tests are skipped, each with the reason in its name, where there is none. */
export function compilerSuite(title: string): Test {
  const inner = suite(title);
  if (compiler.kind === 'found') return inner;
  const why = `there is no Bicep compiler ${bicepVersion}: ${compiler.why}. ${compiler.remedy}`;
  const skip = (name = ''): void => inner.skip(`${name} — ${why}`);
  const never = Object.assign(() => {}, { each: () => {} });
  return Object.assign(skip, { only: skip, skip, before: never, after: never, run: () => inner.run() });
}
