import type { Deployed } from '../template/deploy.js';
import { at, type Json, type JsonObject } from '../template/json.js';
import type { Resource } from '../template/resource.js';

/** What is wrong, where, and how it should be. */
export interface Problem {
  /** The Bicep file, e.g. `infra/modules/storage.bicep`. */
  readonly file: string;
  /** Type and name of a resource, or e.g. `parameter azDOToken`. */
  readonly resource: string;
  /** E.g. `properties.allowSharedKeyAccess`. */
  readonly property: string;
  readonly is: string;
  readonly should: string;
  /** The parameters that show it, where others do not. */
  readonly by?: string;
}

/** A template as it was written, with those nested in it. */
export interface WrittenTemplate {
  readonly file: string;
  readonly template: JsonObject;
}

/** What a rule looks at: one deployment of a template by sample parameters. */
export interface Subject extends Deployed {
  /** What its parameters are called. */
  readonly name: string;
  readonly templates: readonly WrittenTemplate[];
  readonly parameters: JsonObject;
  /** Parts that stand for secrets in `parameters`. */
  readonly secrets: readonly string[];
  /** What an earlier deployment has left there. */
  readonly existing: {
    /** Names of Batch pools. */
    readonly pools: readonly string[];
    /** Secrets of the vault, by name. */
    readonly secrets: Readonly<Record<string, string>>;
  };
}

export interface Rule {
  readonly name: string;
  /** What goes wrong where it is broken. */
  readonly why: string;
  readonly check: (subject: Subject) => readonly Problem[];
}

export const describeProblem = ({ file, resource, property, is, should, by }: Problem): string =>
  `${file}: ${resource}: ${property ? `${property} ` : ''}${is}; ${should}${by === undefined ? '' : ` (with ${by})`}`;

export const shown = (value: Json | undefined): string => {
  if (value === undefined) return 'is not set';
  const text = JSON.stringify(value);
  return `is ${text.length > 90 ? `${text.slice(0, 90)}…` : text}`;
};

export const labelOf = ({ type, name }: Resource): string => `${type} ${name}`;

export const problem = (resource: Resource, property: string, is: string, should: string): Problem => ({
  file: resource.file,
  resource: labelOf(resource),
  property,
  is,
  should,
});

export const ofType = (subject: Subject, type: string): readonly Resource[] =>
  subject.resources.filter(resource => resource.type.toLowerCase() === type.toLowerCase());

const keysOf = (property: string): readonly string[] => property.split('.');

/** A property that has to have one of some values. */
export function mustBe(
  resource: Resource,
  property: string,
  ...allowed: readonly Json[]
): readonly Problem[] {
  const value = at(resource.body, ...keysOf(property));
  if (value !== undefined && allowed.includes(value)) return [];
  const wanted = allowed.map(each => JSON.stringify(each)).join(' or ');
  return [problem(resource, property, shown(value), `it must be ${wanted}`)];
}

export const sameId = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();
