import type * as z from 'zod';

/**
 * Reads an answer by its schema. The schemas are strict, so that our own app's answers are held to them word by word;
 * here a field too many is no fault: a newer app may well tell more.
 *
 * @returns undefined if it is no such answer.
 */
export function readAnswer<T>(schema: z.ZodType<T>, answer: unknown): T | undefined {
  const read = schema.safeParse(answer);
  if (read.success) return read.data;
  let rest = answer;
  for (const issue of read.error.issues) {
    if (issue.code !== 'unrecognized_keys') return undefined;
    rest = without(rest, issue.path, new Set(issue.keys));
  }
  return schema.safeParse(rest).data;
}

/** A copy of the value, without these fields of what is at the path. */
function without(value: unknown, path: readonly PropertyKey[], names: ReadonlySet<string>): unknown {
  const [step, ...further] = path;
  if (Array.isArray(value)) {
    const items: readonly unknown[] = value;
    return items.map((item, index) => (index === step ? without(item, further, names) : item));
  }
  const fields = Object.entries(value ?? {});
  return Object.fromEntries(
    step === undefined
      ? fields.filter(([name]) => !names.has(name))
      : fields.map(([name, field]) => [name, name === step ? without(field, further, names) : field]),
  );
}
