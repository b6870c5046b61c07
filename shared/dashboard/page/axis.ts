import type { Life } from './life.js';
import { clock, roundDuration } from './time.js';

/** What the bars of a list are drawn along. */
export interface Axis {
  readonly kind: 'clock' | 'age';
  readonly from: number;
  readonly to: number;
  readonly marks: readonly { readonly at: number; readonly label: string }[];
}

export const spans = ['fit', '15m', '1h', '6h', '24h', 'age'] as const;
export type Span = (typeof spans)[number];

const minute = 60_000;
const lengths: Readonly<Record<'15m' | '1h' | '6h' | '24h', number>> = {
  '15m': 15 * minute,
  '1h': 60 * minute,
  '6h': 360 * minute,
  '24h': 1_440 * minute,
};
const steps = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400, 172_800,
  604_800, 2_592_000,
].map(seconds => seconds * 1_000);
const marksWanted = 5;
const shortest = 30_000;

/** The axis on which these lives are seen: along the clock, or each from its own beginning. */
export function axisOf(span: Span, lives: readonly Life[], now: number): Axis {
  if (span === 'age') {
    const longest = Math.max(shortest, ...lives.map(life => life.to - life.from));
    return withMarks('age', 0, longest);
  }
  if (span !== 'fit') return withMarks('clock', now - lengths[span], now);
  const oldest = lives.length === 0 ? now : Math.min(...lives.map(({ from }) => from));
  return withMarks('clock', Math.min(oldest, now - shortest), now);
}

function withMarks(kind: Axis['kind'], from: number, to: number): Axis {
  const length = to - from;
  const step = steps.find(each => length / each <= marksWanted) ?? length / marksWanted;
  // By local time, so that marks stand at whole hours where offsets are not whole hours.
  const offset = kind === 'clock' ? new Date(to).getTimezoneOffset() * minute : 0;
  const first = Math.ceil((from - offset) / step) * step + offset;
  const marks: { at: number; label: string }[] = [];
  for (let at = first; at <= to; at += step) {
    marks.push({ at, label: kind === 'age' ? roundDuration(at) : clockLabel(at, step) });
  }
  return { kind, from, to, marks };
}

function clockLabel(at: number, step: number): string {
  if (step < minute) return clock(at);
  const date = new Date(at);
  const isMidnight = date.getHours() === 0 && date.getMinutes() === 0;
  if (step >= 86_400_000 || isMidnight) return `${date.getDate()} ${months[date.getMonth()] ?? ''}`;
  return clock(at, false);
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Where a moment stands on an axis, in percent; what is outside of it stands at its edge. */
export const place = ({ from, to }: Pick<Axis, 'from' | 'to'>, at: number): number =>
  to <= from ? 0 : Math.min(100, Math.max(0, ((at - from) / (to - from)) * 100));
