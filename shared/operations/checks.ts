import type { checkAreas, Diagnosis } from '../answers/diagnosis.js';
import { TransientError } from '../domain/failure.js';
import type { Clock } from '../ports.js';
import { inTime } from './in-time.js';

export type CheckArea = (typeof checkAreas)[number];
export type CheckResult = Diagnosis['checks'][number];

export interface Finding {
  readonly status: CheckResult['status'];
  readonly detail: string;
  readonly remedy?: string;
}

/** One thing to try. */
export interface Check {
  readonly area: CheckArea;
  readonly name: string;
  /** What to do when it throws. A sentence that names the setting, role or command. */
  readonly remedy: string;
  /** What to do instead when no answer came; a key has nothing to do with that. */
  readonly remedyWhenAway?: string;
  /** Nothing else of its area can succeed when it fails. */
  readonly isSignIn?: boolean;
  run(): Promise<Finding>;
}

export const ok = (detail: string): Finding => ({ status: 'ok', detail });

/** @param setting which names the service's address. */
export const awayRemedy = (setting: string): string =>
  `Check ${setting}, and that the network of this app (DNS, firewalls, private endpoints) lets it reach that address. ` +
  'If both are right, the service is away: see its status page.';

/** Each by itself: one that gives no answer keeps no other from it. */
const patienceMs = 15_000;

interface Ran {
  readonly check: Check;
  readonly finding: Finding;
  /** The code of its failure. */
  readonly code: string | undefined;
}

/** Runs all at once, and tells of what failed only because nobody could sign in as not tried. */
export async function runChecks(clock: Clock, checks: readonly Check[]): Promise<readonly CheckResult[]> {
  const ran = await Promise.all(checks.map(async check => runOne(clock, check)));
  const codeOfSignIn = new Map(
    ran.flatMap(({ check, code }) => (check.isSignIn && code !== undefined ? [[check.area, code]] : [])),
  );
  return ran.map(({ check: { area, name, isSignIn }, finding, code }) => {
    const isForSignIn = !isSignIn && code !== undefined && codeOfSignIn.get(area) === code;
    const { status, detail, remedy }: Finding = isForSignIn
      ? { status: 'skipped', detail: 'Fails as the sign-in does; mend that first.' }
      : finding;
    return { area, name, status, detail, remedy: remedy ?? null };
  });
}

async function runOne(clock: Clock, check: Check): Promise<Ran> {
  const result = await inTime(clock, patienceMs, async () => check.run());
  const { remedy, remedyWhenAway: away = remedy } = check;
  if (result.kind === 'done') return { check, finding: result.value, code: undefined };
  if (result.kind === 'late') {
    const detail = `It gave no answer within ${patienceMs / 1_000} seconds.`;
    return { check, finding: { status: 'failed', detail, remedy: away }, code: 'late' };
  }
  const { error } = result;
  const code = error instanceof TransientError ? error.failure.code : undefined;
  const detail =
    error instanceof TransientError
      ? error.failure.message
      : error instanceof Error
        ? error.message
        : 'It failed in a way that nobody has foreseen.';
  const isAway = code?.endsWith('Unavailable') === true;
  return { check, finding: { status: 'failed', detail, remedy: isAway ? away : remedy }, code };
}

/** Whether a service's clock and ours agree. */
export const clockCheck = (
  area: CheckArea,
  service: string,
  clock: Pick<Clock, 'now'>,
  ask: () => Promise<Date | undefined>,
): Check => ({
  area,
  name: `The clock agrees with that of ${service}`,
  remedy: `Mend what keeps ${service} from being asked; the clock can be compared then.`,
  run: async () => {
    const before = clock.now().getTime();
    const serviceTime = await ask();
    if (!serviceTime) return { status: 'skipped', detail: `${service} did not say what time it is.` };
    // Its answer names a whole second of some moment in between.
    const now = clock.now().getTime();
    const ahead = before - serviceTime.getTime() - 1_000;
    const behind = serviceTime.getTime() - now;
    const offBySeconds = Math.round(Math.max(ahead, behind, 0) / 1_000);
    if (offBySeconds <= clockToleranceSeconds) return ok('They differ by no more than a few seconds.');
    return {
      status: offBySeconds > clockLimitSeconds ? 'failed' : 'warning',
      detail: `The clock of this app is ${offBySeconds} s ${ahead > behind ? 'ahead of' : 'behind'} that of ${service}.`,
      remedy:
        'Set the clock of the machine that runs this app by a time server (NTP): signed calls are refused when it is ' +
        'off by more than 15 minutes, and tokens sooner.',
    };
  },
});

const clockToleranceSeconds = 30;
const clockLimitSeconds = 300;
