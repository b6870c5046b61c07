import { batch, effect, signal } from '@preact/signals';
import type { Answer, Trouble } from './api.js';
import { deadLetters, loadShown, overview, pools, requests } from './data.js';
import { view } from './view.js';

const everyMs = 5_000;
/** The numbers of a day change slowly and cost the app a look at all of them. */
const overviewEveryMs = 30_000;
const longestPauseMs = 60_000;
/** A look that takes long is not worth having at once again. */
const calm = 4;

/** Milliseconds since 1970, moving while the page is looked at: what lives grows with it. */
export const now = signal(Date.now());
/** When everything was known last. */
export const asOf = signal<number | undefined>(undefined);
/** What went wrong with the last look, and since when. */
export const lost = signal<(Trouble & { readonly since: number }) | undefined>(undefined);
export const nextTryAt = signal<number | undefined>(undefined);
export const paused = signal(false);
const hidden = signal(document.visibilityState === 'hidden');

let timer: ReturnType<typeof setTimeout> | undefined;
let running: Promise<void> | undefined;
let overviewAt = 0;
let failures = 0;

/** Looks now, and again and again from then on. */
export async function refresh(): Promise<void> {
  clearTimeout(timer);
  running ??= lookOnce().finally(() => {
    running = undefined;
  });
  await running;
}

async function lookOnce(): Promise<void> {
  const started = performance.now();
  // What the page is opened for comes first and has the app to itself: the rest costs more than all of it.
  const first = await requests.load();
  const isAway = !first.ok && (first.trouble.kind === 'unreachable' || first.trouble.kind === 'refused');
  const others = isAway ? [] : await Promise.all([loadShown(), deadLetters.load(), pools.load()]);
  settle([first, ...others], performance.now() - started);
  if (lost.value === undefined && Date.now() - overviewAt >= overviewEveryMs) {
    overviewAt = Date.now();
    void overview.load();
  }
}

function settle(answers: readonly (Answer<unknown> | undefined)[], tookMs: number): void {
  const trouble = answers.map(answer => (answer?.ok === false ? answer.trouble : undefined));
  const worst =
    trouble.find(each => each?.kind === 'refused') ?? trouble.find(each => each?.kind === 'unreachable');
  batch(() => {
    now.value = Date.now();
    if (worst) {
      failures += 1;
      lost.value = { ...worst, since: lost.value?.since ?? asOf.value ?? now.value };
    } else {
      failures = 0;
      asOf.value = now.value;
      lost.value = undefined;
    }
  });
  schedule(
    Math.min(longestPauseMs, worst ? everyMs * 2 ** (failures - 1) : Math.max(everyMs, calm * tookMs)),
  );
}

function schedule(pauseMs: number): void {
  clearTimeout(timer);
  nextTryAt.value = undefined;
  // A key does not become right by itself.
  if (paused.value || hidden.value || lost.value?.kind === 'refused') return;
  nextTryAt.value = Date.now() + pauseMs;
  timer = setTimeout(() => void refresh(), pauseMs);
}

export function pause(value: boolean): void {
  paused.value = value;
  if (value) schedule(0);
  else void refresh();
}

/** Another filter: what is shown is not what is asked for any more. */
let asked = '';
effect(() => {
  const { profile, state, tag } = view.value;
  const wanted = JSON.stringify([profile, state, tag]);
  if (asked !== '' && wanted !== asked) void reload();
  asked = wanted;
});

async function reload(): Promise<void> {
  requests.clear();
  deadLetters.clear();
  overviewAt = 0;
  await running;
  await refresh();
}

document.addEventListener('visibilitychange', () => {
  hidden.value = document.visibilityState === 'hidden';
  if (hidden.value) schedule(0);
  else if (!paused.value) void refresh();
});

/** Bars of what lives grow, and times that are told as "ago" pass, once a second. */
setInterval(() => {
  if (!hidden.value && lost.value === undefined && !paused.value) now.value = Date.now();
  else if (!hidden.value) tick.value = Date.now();
}, 1_000);
/** The same while nothing new is known: only how long that has been so. */
export const tick = signal(Date.now());
