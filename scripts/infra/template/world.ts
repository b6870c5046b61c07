import { ExpressionError } from './expression.js';
import type { JsonObject } from './json.js';
import type { Resource } from './resource.js';

/** A resource that is declared, and worked out when somebody asks. */
export interface Declared {
  readonly id: string;
  readonly type: string;
  readonly exists: boolean;
  readonly value: () => Resource;
  /** Of a nested deployment. */
  readonly nested: (() => { readonly outputs: JsonObject }) | undefined;
}

export interface World {
  readonly byId: Map<string, Declared>;
  readonly resources: Resource[];
  readonly secretCalls: { file: string; name: string; of: string }[];
}

export const once = <T>(make: () => T): (() => T) => {
  let made: { readonly value: T } | undefined;
  let making = false;
  return () => {
    if (made) return made.value;
    if (making) throw new ExpressionError('it depends on itself');
    making = true;
    try {
      made = { value: make() };
    } finally {
      making = false;
    }
    return made.value;
  };
};
