import ora from 'ora';
import { endStates } from '../../../shared/domain/request.js';
import type { ShownRequest } from '../client.js';
import { colours, duration, flat, printStyled, screenWidth, shorten } from '../output.js';
import { failureOf } from './describe.js';
import type { Display } from './display.js';
import { type Step, stepsOf } from './steps.js';

/** What the eye can follow. */
const redrawMs = 250;
const names = 13;
const durations = 11;
/** Beside the line: the mark before it, and the `^C` that a terminal writes after it. */
const margin = 6;

/** On a terminal: steps that are over stay as lines, below them the one that goes on, with how long it has taken. */
export function progress(): Display {
  const spinner = ora({
    stream: process.stdout,
    // What it writes is decided here: it does not know NO_COLOR.
    color: colours.isColorSupported ? 'cyan' : false,
    isEnabled: true,
    // Raw mode would be one thing more to put back.
    discardStdin: false,
  });
  /** When the step that goes on was first seen here: the app's clock may be another. */
  let current: { readonly step: Step; readonly sinceMs: number } | undefined;
  let told = 0;
  const draw = (): void => {
    if (current) spinner.text = lineOf(current.step, Date.now() - current.sinceMs);
  };
  const timer = setInterval(draw, redrawMs);
  const stop = (): void => {
    clearInterval(timer);
    spinner.stop();
  };

  return {
    show(request) {
      const steps = stepsOf(request.history);
      const over = request.endedAt !== null;
      const finished = over ? steps.slice(0, -1) : steps.filter(({ to }) => to !== undefined);
      if (finished.length > told) spinner.stop();
      for (const step of finished.slice(told)) printStyled(`${mark(true)} ${lineOf(step, lengthOf(step))}`);
      // A history that was cut short at its beginning tells fewer steps.
      told = finished.length;
      const last = steps.at(-1);
      if (over || !last) {
        stop();
        current = undefined;
        return printStyled(endOf(request));
      }
      if (current?.step.from !== last.from || current.step.state !== last.state) {
        current = { step: last, sinceMs: Date.now() - ageOf(last) };
      } else {
        current = { ...current, step: last };
      }
      draw();
      if (!spinner.isSpinning) spinner.start();
    },
    finish() {
      stop();
      if (current) printStyled(`${mark(true)} ${lineOf(current.step, Date.now() - current.sinceMs)}`);
    },
    close: stop,
  };
}

const mark = (good: boolean): string => (good ? colours.green('✔') : colours.red('✖'));

const lengthOf = ({ from, to = from }: Step): number => Date.parse(to) - Date.parse(from);
/** Never negative: the clocks of two machines differ. */
const ageOf = ({ from }: Step): number => Math.max(0, Date.now() - Date.parse(from));

function lineOf({ state, attempt, detail }: Step, milliseconds: number): string {
  const which = attempt > 1 ? `attempt ${attempt}: ` : '';
  const line = `${state.padEnd(names)}${duration(milliseconds).padEnd(durations)}${which}${flat(detail)}`;
  return shorten(line, (screenWidth() ?? 80) - margin);
}

function endOf(request: ShownRequest): string {
  const good = request.state === 'completed';
  const { createdAt, endedAt, state, history } = request;
  const took = Date.parse(endedAt ?? createdAt) - Date.parse(createdAt);
  const isEnd = endStates.some(end => end === state);
  const line = lineOf(
    { state, attempt: 1, from: createdAt, to: undefined, detail: history.at(-1)?.detail ?? '' },
    took,
  );
  const failure = failureOf(request);
  return [`${mark(good || !isEnd)} ${line}`, ...(failure === '' ? [] : [failure])].join('\n');
}
