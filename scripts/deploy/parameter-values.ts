import * as z from 'zod';

/** How a template declares a value: https://learn.microsoft.com/azure/azure-resource-manager/templates/definitions */
export const Declaration = z.looseObject({
  type: z.string().optional(),
  $ref: z.string().optional(),
  nullable: z.boolean().optional(),
  allowedValues: z.array(z.unknown()).optional(),
  minLength: z.number().optional(),
  maxLength: z.number().optional(),
  minValue: z.number().optional(),
  maxValue: z.number().optional(),
  items: z.unknown().optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
  additionalProperties: z.unknown().optional(),
});
export type Declaration = z.infer<typeof Declaration>;

/** Declarations that others refer to by name. */
export type Definitions = Readonly<Record<string, Declaration>>;

const List = z.array(z.unknown());
const Fields = z.record(z.string(), z.unknown());

const kinds: Readonly<Record<string, readonly [what: string, schema: z.ZodType]>> = {
  string: ['a text', z.string()],
  securestring: ['a text', z.string()],
  int: ['a whole number', z.int()],
  bool: ['true or false', z.boolean()],
  array: ['a list', List],
  object: ['an object', Fields],
  secureobject: ['an object', Fields],
};

/**
 * What is wrong with a value, which Azure would say one after the other and only some minutes later. It is never cited:
 * it may be a secret.
 *
 * @param place of the value, as it is told, e.g. `pools[0].os`.
 * @returns a sentence each; what this does not know of a declaration is left to Azure.
 */
export function valueProblems(
  place: string,
  value: unknown,
  declaration: Declaration,
  definitions: Definitions,
): readonly string[] {
  const declared = resolved(declaration, definitions);
  if (value === null && declared.nullable) return [];
  const [what, schema] = kinds[declared.type?.toLowerCase() ?? ''] ?? [];
  if (schema && !schema.safeParse(value).success) return [`${place} must be ${what}.`];
  const { allowedValues } = declared;
  if (allowedValues && !allowedValues.includes(value))
    return [`${place} must be ${allowedValues.map(String).join(' or ')}.`];
  return [...sizeProblems(place, value, declared), ...partProblems(place, value, declared, definitions)];
}

/** Who refers to a declaration may add that null is fine. */
function resolved(declaration: Declaration, definitions: Definitions): Declaration {
  const name = declaration.$ref?.replace(/^#\/definitions\//, '');
  const target = name === undefined ? undefined : definitions[name];
  return target ? resolved({ ...target, ...declaration, $ref: target.$ref }, definitions) : declaration;
}

function sizeProblems(place: string, value: unknown, declared: Declaration): readonly string[] {
  const [size, unit, least, most] =
    typeof value === 'number'
      ? [value, '', declared.minValue, declared.maxValue]
      : typeof value === 'string'
        ? [value.length, ' characters', declared.minLength, declared.maxLength]
        : Array.isArray(value)
          ? [value.length, ' entries', declared.minLength, declared.maxLength]
          : [];
  if (size === undefined) return [];
  if (least !== undefined && size < least) return [`${place} must be at least ${least}${unit}.`];
  return most !== undefined && size > most ? [`${place} must be at most ${most}${unit}.`] : [];
}

function partProblems(
  place: string,
  value: unknown,
  declared: Declaration,
  definitions: Definitions,
): readonly string[] {
  const items = Declaration.safeParse(declared.items);
  const list = List.safeParse(value);
  if (list.success && items.success)
    return list.data.flatMap((each, index) =>
      valueProblems(`${place}[${index}]`, each, items.data, definitions),
    );
  const fields = Fields.safeParse(value);
  if (!fields.success || declared.properties === undefined) return [];
  const known = Object.entries(declared.properties).map(
    ([name, property]) => [name, resolved(Declaration.parse(property), definitions)] as const,
  );
  const names = new Set(known.map(([name]) => name));
  return [
    ...known.flatMap(([name, property]) =>
      Object.hasOwn(fields.data, name)
        ? valueProblems(`${place}.${name}`, fields.data[name], property, definitions)
        : property.nullable
          ? []
          : [`${place}.${name} is missing.`],
    ),
    ...Object.keys(fields.data)
      .filter(name => declared.additionalProperties === false && !names.has(name))
      .map(name => `${place} has no field ${name}: it has ${[...names].join(', ')}.`),
  ];
}
