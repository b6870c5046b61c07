/** Timestamps and time intervals as formulas write and results show them; both are milliseconds here. */

/**
 * W3C-DTF: a year, year and month, a date, or a date with a time to the minute or finer and its zone. Seven digits of a
 * second are taken at most, as the service writes its own times; with nine, formulas are known to have failed there.
 */
const w3c = /^\d{4}(?:-\d\d(?:-(\d\d)(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,7})?)?(?:Z|[+-]\d\d:\d\d))?)?)?$/;
const rfc1123 = /^[A-Z][a-z]{2}, (\d\d?) [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/;

/** Undefined when the text is neither W3C-DTF nor RFC 1123, or names a day that there is not. */
export function parseTime(text: string): number | undefined {
  const match = w3c.exec(text) ?? rfc1123.exec(text);
  if (!match) return undefined;
  const time = Date.parse(text);
  if (Number.isNaN(time)) return undefined;
  const [, day] = match;
  return day === undefined || isDayOfMonth(text, day) ? time : undefined;
}

/** `Date` takes the 30th of February for the 2nd of March. The day alone is compared where no zone can move it. */
function isDayOfMonth(text: string, day: string): boolean {
  const date = text.includes(',') ? text.replace(/\d\d:\d\d:\d\d/, '00:00:00') : text.slice(0, 10);
  return new Date(date).getUTCDate() === Number(day);
}

/** Greatest that `Date` can hold. */
const farthest = 8.64e15;

export const showTime = (time: number): string =>
  Math.abs(time) <= farthest ? new Date(time).toISOString() : String(time);

/** ISO 8601, as everywhere in the Batch API; how the service shows an interval in results is not documented. */
export function showInterval(interval: number): string {
  if (!Number.isFinite(interval)) return String(interval);
  const all = Math.abs(interval);
  const days = Math.floor(all / 86_400_000);
  const hours = Math.floor((all % 86_400_000) / 3_600_000);
  const minutes = Math.floor((all % 3_600_000) / 60_000);
  const seconds = Number(((all % 60_000) / 1_000).toFixed(7));
  const time = [hours && `${hours}H`, minutes && `${minutes}M`, seconds && `${seconds}S`]
    .filter(Boolean)
    .join('');
  const shown = `P${days ? `${days}D` : ''}${time && `T${time}`}`;
  return `${interval < 0 ? '-' : ''}${shown === 'P' ? 'PT0S' : shown}`;
}

/** What stands behind the dot of a timestamp; all in UTC. Sunday is taken as 0: the page says only that Monday is 1. */
export const timeMembers: Readonly<Record<string, (date: Date) => number>> = {
  year: date => date.getUTCFullYear(),
  month: date => date.getUTCMonth() + 1,
  day: date => date.getUTCDate(),
  weekday: date => date.getUTCDay(),
  hour: date => date.getUTCHours(),
  minute: date => date.getUTCMinutes(),
  second: date => date.getUTCSeconds(),
};
