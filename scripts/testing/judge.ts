import type { TestEvent } from './events.js';

/** How a test process ended, as its parent saw it. */
export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Set when it was killed for taking longer than this. */
  readonly overtimeMs?: number;
  /** Descriptions of the processes it left behind. */
  readonly survivors: readonly string[];
  /** Names of what it left in its temporary folder. */
  readonly leftovers: readonly string[];
}

export interface Verdict {
  readonly passed: number;
  /** Failed tests, tests that should have run and did not, and each fault of the file as a whole. */
  readonly failed: number;
  readonly skipped: number;
  /** One line for each test that was declared as skipped: its name is to say why. */
  readonly skips: readonly string[];
  /** One line for each of the failed. */
  readonly problems: readonly string[];
}

interface Suite {
  readonly name: string;
  readonly tests: { readonly name: string; readonly only: boolean; run: boolean }[];
  readonly skips: string[];
  runs: number;
}

/**
 * Decides what a test file came to. Nothing passes by default: a test counts as passed when it started, its handler
 * came back and no hook of its own threw, in a process that went through all of its suites and ended by itself.
 *
 * @param allowOnly whether `.only` is fine, as it is while somebody works on a single file
 */
export function judge(events: readonly TestEvent[], end: ProcessEnd, allowOnly = false): Verdict {
  const suites = new Map<number, Suite>();
  const started = new Set<string>();
  const returned = new Set<string>();
  const failures = new Map<string, string>();
  const problems: string[] = [];
  let ended = false;

  const titleOf = (suite: number): string => suites.get(suite)?.name || 'the nameless suite';
  for (const event of events) {
    const key = 'test' in event ? `${event.suite}/${event.test}` : '';
    switch (event.type) {
      case 'suite':
        suites.set(event.suite, { name: event.name, tests: [], skips: [], runs: 0 });
        break;
      case 'test':
        suites.get(event.suite)?.tests.push({ name: event.name, only: event.only, run: false });
        break;
      case 'skip':
        suites.get(event.suite)?.skips.push(event.name);
        break;
      case 'run': {
        const suite = suites.get(event.suite);
        if (!suite) break;
        suite.runs += 1;
        for (const test of suite.tests) test.run = true;
        break;
      }
      case 'start':
        started.add(key);
        break;
      case 'pass':
        returned.add(key);
        break;
      case 'fail':
        failures.set(key, event.message);
        break;
      case 'hook':
        if (event.test !== undefined) failures.set(key, `${event.hook} threw: ${event.message}`);
        else problems.push(`${titleOf(event.suite)}: ${event.hook} threw: ${event.message}`);
        break;
      case 'end':
        ended = true;
        break;
      case 'open':
        problems.push(
          `it did not end by itself: still open are ${event.resources.join(', ') || 'unknown things'}`,
        );
        break;
    }
  }

  let passed = 0;
  let skipped = 0;
  let failed = 0;
  for (const [id, suite] of suites) {
    const title = titleOf(id);
    skipped += suite.skips.length;
    const only = suite.tests.some(test => test.only);
    if (only && !allowOnly) problems.push(`${title}: .only leaves its other tests out`);
    if (suite.runs === 0) problems.push(`${title} never ran: .run() is missing`);
    else if (suite.tests.some(test => !test.run))
      problems.push(`${title} has tests declared after its .run()`);
    if (suite.tests.length + suite.skips.length === 0) problems.push(`${title} has no tests`);
    suite.tests.forEach((test, index) => {
      if (!test.run) return;
      const key = `${id}/${index}`;
      if (only && !test.only) skipped += 1;
      else if (returned.has(key) && !failures.has(key)) passed += 1;
      else {
        failed += 1;
        const how = failures.get(key) ?? (started.has(key) ? 'it did not come to its end' : 'it did not run');
        problems.push(`${title}: ${test.name}: ${how}`);
      }
    });
  }

  if (suites.size === 0 && ended) problems.push('it has no tests');
  if (end.overtimeMs !== undefined) {
    problems.push(`it was killed after ${end.overtimeMs / 1000} s, the time limit of a file`);
  } else if (end.signal) {
    problems.push(`it was killed by ${end.signal}`);
  } else if (!ended) {
    problems.push(`it left (exit code ${end.code}) before its suites were through`);
  } else if (end.code !== 0 && problems.length === 0) {
    problems.push(`it ended with exit code ${end.code}, though all of its tests passed`);
  }
  if (end.survivors.length > 0) problems.push(`it left processes behind: ${end.survivors.join('; ')}`);
  if (end.leftovers.length > 0) {
    problems.push(`it left files in its temporary folder: ${end.leftovers.join(', ')}`);
  }
  const skips = [...suites].flatMap(([id, suite]) => suite.skips.map(name => `${titleOf(id)}: ${name}`));
  return { passed, failed: Math.max(failed, problems.length), skipped, skips, problems };
}
