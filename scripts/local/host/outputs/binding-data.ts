import { randomUUID } from 'node:crypto';
import type { TypedData } from '../core-types.js';
import type { InvocationCall } from '../invoker.js';

/** What binding expressions such as `{name}` can name: fields of what triggered the function, and its metadata. */
export type BindingData = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** @param trigger name of the trigger binding */
export function bindingDataOf(call: InvocationCall, trigger: string): BindingData {
  const data = call.inputData.find(input => input.name === trigger)?.data;
  const found: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(call.triggerMetadata ?? {}))
    found[lowerFirst(name)] = plain(value);
  if (data?.http) {
    const query = Object.fromEntries(new URL(data.http.url).searchParams);
    return { ...found, ...query, ...data.http.params, query, headers: data.http.headers };
  }
  const value = data && plain(data);
  return { ...found, [trigger]: value, ...(isObject(value) && value) };
}

const lowerFirst = (name: string): string => name.charAt(0).toLowerCase() + name.slice(1);

function plain(data: TypedData): unknown {
  const text = data.json ?? data.string;
  if (text === undefined) return data.int ?? data.double;
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    return text;
  }
}

/**
 * Replaces each `{name}` or `{a.b}`, in any case as in Azure, and `{rand-guid}` and `{DateTime}`.
 *
 * @throws Error naming what is not there
 */
export function resolveExpressions(text: string, data: BindingData, where: string): string {
  return text.replace(/\{([^{}]+)\}/g, (_whole, expression: string) => {
    const lower = expression.toLowerCase();
    if (lower === 'rand-guid' || lower === 'sys.randguid') return randomUUID();
    if (lower === 'datetime' || lower === 'sys.utcnow') return new Date().toISOString();
    let value: unknown = data;
    for (const part of lower.split('.')) {
      const owner: Record<string, unknown> = isObject(value) ? value : {};
      const key = Object.keys(owner).find(name => name.toLowerCase() === part);
      value = key === undefined ? undefined : owner[key];
    }
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
      return String(value);
    throw new Error(`${where} names {${expression}}, which what triggered the function does not have.`);
  });
}
