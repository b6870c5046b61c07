#!/usr/bin/env node
/**
 * The operator's command line as a program of its own, for `npx` and `npm link`. It takes what `npm run build` has
 * compiled, and compiles nothing: it may be in use where sources can't be written.
 */
import { existsSync } from 'node:fs';

const program = new URL('../dist/scripts/agents.js', import.meta.url);
if (existsSync(program)) {
  await import(program.href);
} else {
  console.error('azdo-batch-agents is not compiled yet: run `npm run build` in its folder.');
  process.exitCode = 1;
}
