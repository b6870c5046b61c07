import { evaluate, resolve, type Scope, type Special } from './evaluate.js';
import { type Expression, ExpressionError } from './expression.js';
import { at, isList, isObject, type Json, type JsonObject, objectAt, text, textAt } from './json.js';
import type { ModuleFiles } from './module-files.js';
import { runtimeValues } from './runtime-values.js';
import { group, sampleScope, surroundings } from './surroundings.js';
import { userFunctions } from './user-functions.js';
import { type Declared, once, type World } from './world.js';

/** What a template can ask of itself and of its surroundings. */
export function specialsOf(
  template: JsonObject,
  given: JsonObject,
  files: ModuleFiles,
  deployment: string,
  world: World,
  symbols: ReadonlyMap<string, Declared>,
): Readonly<Record<string, Special>> {
  const plain: Scope = { specials: {}, lambda: new Map() };
  const scope = (): Scope => ({ ...plain, specials });
  const memo = new Map<string, () => Json>();
  const remember = (key: string, make: () => Json): Json => {
    const known = memo.get(key) ?? once(make);
    memo.set(key, known);
    return known();
  };
  const argument = (args: readonly Expression[], inner: Scope): readonly Json[] =>
    args.map(arg => evaluate(arg, inner));

  const parameter = (name: string): Json =>
    remember(`parameter ${name}`, () => {
      const declared = at(template, 'parameters', name);
      if (!isObject(declared)) throw new ExpressionError(`there is no parameter ${name}`);
      const value = given[name];
      if (value !== undefined && value !== null) return value;
      if (declared['defaultValue'] !== undefined) return resolve(declared['defaultValue'], scope());
      if (declared['nullable'] === true) return null;
      throw new ExpressionError(`parameter ${name} has no value`);
    });
  const variable = (name: string): Json =>
    remember(`variable ${name}`, () => {
      const declared = at(template, 'variables', name);
      if (declared !== undefined) return resolve(declared, scope());
      const loops = at(template, 'variables', 'copy');
      const loop = isList(loops) ? loops.find(each => textAt(each, 'name') === name) : undefined;
      if (!loop) throw new ExpressionError(`there is no variable ${name}`);
      return at(resolve({ copy: [loop] }, scope()), name) ?? null;
    });

  const find = (key: string): Declared | undefined =>
    symbols.get(key) ??
    world.byId.get((key.startsWith('/') ? key : `${group}/providers/${key}`).toLowerCase());
  const typeOf = (id: string): string => {
    const [namespace = '', ...parts] = id.split('/providers/').at(-1)?.split('/') ?? [];
    return [namespace, ...parts.filter((_, index) => index % 2 === 0)].join('/');
  };
  const nameOf = (id: string): string =>
    (id.split('/providers/').at(-1)?.split('/').slice(1) ?? [])
      .filter((_, index) => index % 2 === 1)
      .join('/');

  function reference(key: string, full: boolean): Json {
    const declared = find(key);
    if (declared?.nested) return { outputs: declared.nested().outputs };
    const id = declared?.id ?? key;
    if (!id.startsWith('/')) throw new ExpressionError(`nothing here is called ${key}`);
    const body = declared && !declared.exists ? declared.value().body : {};
    const location = textAt(body, 'location') ?? sampleScope.location;
    const properties = {
      ...subresourceIds(objectAt(body, 'properties'), id),
      ...runtimeValues(typeOf(id), nameOf(id), id, location),
    };
    if (!full) return properties;
    const identity = {
      ...objectAt(body, 'identity'),
      principalId:
        runtimeValues('Microsoft.ManagedIdentity/userAssignedIdentities', '', id, '')['principalId'] ?? null,
    };
    return { ...body, location, identity, properties, id };
  }

  function secretCall(name: string): Special {
    return (args, inner) => {
      const [of] = argument(args, inner);
      world.secretCalls.push({ file: files.file, name, of: text(of) });
      const secret = `secret-from-${name}`;
      return {
        keys: [{ value: secret }, { value: secret }],
        primary: secret,
        primaryKey: secret,
        key1: secret,
        masterKey: secret,
        functionKeys: { default: secret },
        passwords: [{ value: secret }],
        primarySharedKey: secret,
        primaryConnectionString: secret,
        accountSasToken: secret,
        serviceSasToken: secret,
      };
    };
  }

  const specials: Readonly<Record<string, Special>> = {
    parameters: (args, inner) => parameter(text(argument(args, inner)[0])),
    variables: (args, inner) => variable(text(argument(args, inner)[0])),
    ...surroundings,
    deployment: () => ({ name: deployment }),
    reference: (args, inner) => {
      const [key, , full] = argument(args, inner);
      return reference(text(key), text(full).toLowerCase() === 'full');
    },
    references: (args, inner) => {
      const [key, full] = argument(args, inner);
      const found = [...symbols.keys()].filter(name => name.startsWith(`${text(key)}[`));
      return found.map(name => reference(name, text(full).toLowerCase() === 'full'));
    },
    resourceInfo: (args, inner) => {
      const key = text(argument(args, inner)[0]);
      const declared = find(key);
      if (!declared) throw new ExpressionError(`nothing here is called ${key}`);
      return { id: declared.id, type: declared.type, name: nameOf(declared.id) };
    },
    ...Object.fromEntries(
      [
        'listKeys',
        'listSecrets',
        'listAccountSas',
        'listServiceSas',
        'listCredentials',
        'listConnectionStrings',
        'listHostKeys',
        'list',
      ].map(name => [name, secretCall(name)]),
    ),
    ...userFunctions(template),
  };
  return specials;
}

/** Parts of a resource that are resources themselves have an id once they are made. */
function subresourceIds(properties: JsonObject, id: string): JsonObject {
  const result: Record<string, Json> = { ...properties };
  for (const [name, value] of Object.entries(properties)) {
    if (!isList(value)) continue;
    result[name] = value.map(part =>
      isObject(part) && typeof part['name'] === 'string' && isObject(part['properties'])
        ? { ...part, id: `${id}/${name}/${part['name']}` }
        : part,
    );
  }
  return result;
}
