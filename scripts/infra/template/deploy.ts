import { specialsOf } from './asking.js';
import { resolve, type Scope, withCopy } from './evaluate.js';
import { ExpressionError } from './expression.js';
import { extensionId } from './functions.js';
import { at, isList, isObject, type Json, type JsonObject, objectAt, text, textAt } from './json.js';
import type { ModuleFiles } from './module-files.js';
import type { Resource } from './resource.js';
import { group } from './surroundings.js';
import { type Declared, once, type World } from './world.js';

/** A template that can't be evaluated: the Bicep compiler accepts it and Azure would not, or this check lacks something. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError';
  readonly file: string;

  constructor(file: string, message: string) {
    super(`${file}: ${message}`);
    this.file = file;
  }
}

export interface Deployed {
  readonly resources: readonly Resource[];
  readonly outputs: JsonObject;
  /** Calls that hand out a key or another secret of a resource, e.g. `listKeys`, and the file they are in. */
  readonly secretCalls: readonly { readonly file: string; readonly name: string; readonly of: string }[];
}

/**
 * Deploys a template in thought.
 *
 * @param parameters by name, as values.
 * @throws TemplateError where an expression can't be evaluated.
 */
export function deploy(template: JsonObject, parameters: JsonObject, files: ModuleFiles): Deployed {
  const world: World = { byId: new Map(), resources: [], secretCalls: [] };
  const { outputs } = deployTemplate(template, parameters, files, 'main', world);
  return { resources: world.resources, outputs, secretCalls: world.secretCalls };
}

function deployTemplate(
  template: JsonObject,
  given: JsonObject,
  files: ModuleFiles,
  deployment: string,
  world: World,
): { readonly outputs: JsonObject } {
  const symbols = new Map<string, Declared>();
  const scope: Scope = {
    specials: specialsOf(template, given, files, deployment, world, symbols),
    lambda: new Map(),
  };
  const complain = <T>(what: string, work: () => T): T => {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      throw new TemplateError(files.file, `${what}: ${error.message}`);
    }
  };

  const all: Declared[] = [];
  const entries: readonly (readonly [string | undefined, Json])[] = isObject(template['resources'])
    ? Object.entries(template['resources'])
    : (isList(template['resources']) ? template['resources'] : []).map(body => [undefined, body]);
  let nestedIndex = 0;
  for (const [symbol, body] of entries) {
    if (!isObject(body)) continue;
    const isNested = body['type'] === 'Microsoft.Resources/deployments';
    const moduleFiles = isNested ? files.module(symbol, nestedIndex++) : files;
    const label = `${text(body['type'])} ${symbol ?? text(body['name'])}`;
    for (const [key, inner] of copies(symbol, body, scope, label, complain)) {
      const declared = complain(label, () =>
        declare(body, inner, files, moduleFiles, world, (what, work) => complain(what, work)),
      );
      if (!declared) continue;
      if (key) symbols.set(key, declared);
      if (!declared.exists) {
        world.byId.set(declared.id.toLowerCase(), declared);
        all.push(declared);
      }
    }
  }
  for (const declared of all) {
    if (declared.nested) declared.nested();
    else world.resources.push(declared.value());
  }

  const outputs: Record<string, Json> = {};
  for (const [name, output] of Object.entries(objectAt(template, 'outputs'))) {
    complain(`output ${name}`, () => {
      if (!isObject(output) || resolve(output['condition'] ?? true, scope) === false) return;
      outputs[name] = { type: output['type'] ?? null, value: resolve(output['value'] ?? null, scope) };
    });
  }
  return { outputs };
}

/** A resource once, or as often as its loop says; with the name that others call it by. */
function copies(
  symbol: string | undefined,
  body: JsonObject,
  scope: Scope,
  label: string,
  complain: <T>(what: string, work: () => T) => T,
): readonly (readonly [string | undefined, Scope])[] {
  const loop = body['copy'];
  if (!isObject(loop)) return [[symbol, scope]];
  const count = complain(label, () => Number(resolve(loop['count'] ?? 0, scope)));
  return Array.from({ length: count }, (_, index) => [
    symbol && `${symbol}[${index}]`,
    withCopy(scope, text(loop['name']), index),
  ]);
}

function declare(
  body: JsonObject,
  scope: Scope,
  files: ModuleFiles,
  moduleFiles: ModuleFiles,
  world: World,
  complain: <T>(what: string, work: () => T) => T,
): Declared | undefined {
  if (resolve(body['condition'] ?? true, scope) === false) return undefined;
  const type = textAt(body, 'type') ?? '';
  const name = text(resolve(body['name'] ?? '', scope));
  const scopeId = body['scope'] === undefined ? undefined : text(resolve(body['scope'], scope));
  const id = extensionId(
    scopeId === undefined ? group : scopeId.startsWith('/') ? scopeId : `${group}/providers/${scopeId}`,
    type,
    ...name.split('/'),
  );
  const { condition: _, copy: __, dependsOn: ___, existing: ____, ...rest } = body;
  const what = `${type} ${name}`;
  if (type === 'Microsoft.Resources/deployments') {
    const nested = once(() => {
      const given = complain(what, () =>
        Object.fromEntries(
          Object.entries(objectAt(body, 'properties', 'parameters')).map(([key, value]) => [
            key,
            // `[if(…, createObject('value', …), …)]` where what is given depends on something.
            at(resolve(value, scope), 'value') ?? null,
          ]),
        ),
      );
      return deployTemplate(objectAt(body, 'properties', 'template'), given, moduleFiles, name, world);
    });
    return {
      id,
      type,
      exists: false,
      nested,
      value: () => ({ id, type, name, apiVersion: '', file: files.file, body: {} }),
    };
  }
  const value = once(() =>
    complain(what, () => {
      const resolved = resolve(rest, scope);
      return {
        id,
        type,
        name,
        apiVersion: textAt(body, 'apiVersion') ?? '',
        file: files.file,
        body: isObject(resolved) ? resolved : {},
      };
    }),
  );
  return { id, type, exists: body['existing'] === true, nested: undefined, value };
}
