const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

const two = (value: number): string => String(value).padStart(2, '0');

/** A length of time in at most two units, e.g. `0.8 s`, `48 s`, `2 min 05 s`, `3 h 10 min`. */
export function duration(ms: number): string {
  if (ms < 9_950) return `${(Math.max(0, ms) / second).toFixed(1)} s`;
  const whole = Math.round(ms / second) * second;
  if (whole < minute) return `${whole / second} s`;
  if (whole < hour) return `${Math.floor(whole / minute)} min ${two((whole % minute) / second)} s`;
  if (whole < day) return `${Math.floor(whole / hour)} h ${two(Math.floor((whole % hour) / minute))} min`;
  return `${Math.floor(whole / day)} d ${Math.floor((whole % day) / hour)} h`;
}

/** A bound of a bucket or a mark of an axis, e.g. `30 s`, `2 min`. */
export function roundDuration(ms: number): string {
  if (ms >= day && ms % day === 0) return `${ms / day} d`;
  if (ms >= hour && ms % hour === 0) return `${ms / hour} h`;
  if (ms >= minute && ms % minute === 0) return `${ms / minute} min`;
  return ms % second === 0 ? `${ms / second} s` : duration(ms);
}

/** Local time of day, e.g. `14:03:22`. */
export function clock(at: number, withSeconds = true): string {
  const date = new Date(at);
  const seconds = withSeconds ? `:${two(date.getSeconds())}` : '';
  return `${two(date.getHours())}:${two(date.getMinutes())}${seconds}`;
}

/** Local date and time, e.g. `2026-11-24 14:03:22`; without the date where it is today's. */
export function moment(at: number, now: number): string {
  const date = new Date(at);
  const isToday = date.toDateString() === new Date(now).toDateString();
  return isToday ? clock(at) : `${dateOf(date)} ${clock(at)}`;
}

export const fullMoment = (at: number): string => `${dateOf(new Date(at))} ${clock(at)}`;

const dateOf = (date: Date): string =>
  `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;

/** How long ago, said roughly. */
export function ago(at: number, now: number): string {
  const ms = Math.max(0, now - at);
  if (ms < 5 * second) return 'just now';
  if (ms < minute) return `${Math.floor(ms / second)} s ago`;
  if (ms < hour) return `${Math.floor(ms / minute)} min ago`;
  if (ms < 2 * day) return `${Math.floor(ms / hour)} h ago`;
  return `${Math.floor(ms / day)} d ago`;
}
