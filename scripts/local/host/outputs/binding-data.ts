import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import type { TypedData } from '../core-types.js';

/** What the `{names}` of a binding can mean: parts of what triggered the function. */
export type BindingData = Readonly<Record<string, unknown>>;

const Properties = z.record(z.string(), z.unknown());

/** The properties of a JSON trigger value, of its metadata, and the parameters of a route. */
export function bindingDataOf(
  trigger: TypedData | undefined,
  metadata: Readonly<Record<string, TypedData>> = {},
): BindingData {
  return {
    ...Object.fromEntries(Object.entries(metadata).map(([name, data]) => [name, plain(data)])),
    ...trigger?.http?.params,
    ...Properties.safeParse(trigger && plain(trigger)).data,
  };
}

function plain(data: TypedData): unknown {
  const text = data.json ?? data.string;
  if (text === undefined) return data.int ?? data.double;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/**
 * Fills the `{names}` of a binding in: `{a}`, `{a.b}`, `{rand-guid}`, `{DateTime}`.
 *
 * @throws a sentence that names what there is no value for
 */
export function fillIn(text: string, data: BindingData, where: string): string {
  return text.replace(/\{([^{}]+)\}/g, (_whole, path: string) => {
    if (path === 'rand-guid') return randomUUID();
    if (path === 'DateTime') return new Date().toISOString();
    let value: unknown = data;
    for (const name of path.split('.')) value = Properties.safeParse(value).data?.[name];
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
      return String(value);
    throw new Error(`${where} names {${path}}, which its trigger does not give.`);
  });
}
