const pattern =
  /^P(?=.)(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?=.)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/;

const second = 1_000;
const day = 86_400 * second;
const units = [365 * day, 30 * day, 7 * day, day, 3_600 * second, 60 * second, second];

/** Milliseconds of an ISO 8601 duration such as `PT1H30M`; undefined when it is not one. */
export function durationMs(text: string): number | undefined {
  const match = pattern.exec(text);
  if (!match) return undefined;
  return units.reduce((sum, unit, index) => sum + unit * Number(match[index + 1] ?? 0), 0);
}
