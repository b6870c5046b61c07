import type { RegisteredFunction } from './core-module.js';
import type { FunctionMetadata, TypedData } from './core-types.js';

const triggers = new Set([
  'httptrigger',
  'queuetrigger',
  'timertrigger',
  'orchestrationtrigger',
  'activitytrigger',
]);
const inputs = new Set(['durableclient', 'orchestrationclient']);
const outputs = new Set(['http', 'queue', 'blob', 'twiliosms']);

const isTrigger = (type: string): boolean => /trigger$/i.test(type);

/**
 * The app's bindings that this host lacks, each as a sentence. A function that would never run, or whose output
 * would vanish, is worse than a host that doesn't start.
 */
export function unsupportedBindings(functions: Iterable<RegisteredFunction>): string[] {
  const problems: string[] = [];
  for (const { metadata } of functions) {
    for (const { type, direction } of Object.values(metadata.bindings)) {
      const [known, kind] = isTrigger(type)
        ? [triggers, 'trigger']
        : direction === 'in'
          ? [inputs, 'input binding']
          : [outputs, 'output binding'];
      if (!known.has(type.toLowerCase())) {
        problems.push(`Function "${metadata.name}" uses the ${kind} "${type}", which this host lacks.`);
      }
    }
  }
  return problems;
}

/** Name and binding of the trigger, if it is of the given type. */
export function triggerOf(
  metadata: FunctionMetadata,
  type: string,
): { readonly name: string; readonly binding: Readonly<Record<string, unknown>> } | undefined {
  for (const [name, binding] of Object.entries(metadata.bindings)) {
    if (binding.type.toLowerCase() === type.toLowerCase()) return { name, binding };
  }
  return undefined;
}

/** Data of the inputs beside the trigger: each is a Durable client. */
export function extraInputs(
  metadata: FunctionMetadata,
  sources: { readonly durableClient: () => TypedData },
): readonly { readonly name: string; readonly data: TypedData }[] {
  return Object.entries(metadata.bindings)
    .filter(([, { type, direction }]) => direction === 'in' && inputs.has(type.toLowerCase()))
    .map(([name]) => ({ name, data: sources.durableClient() }));
}
