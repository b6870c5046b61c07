import { evaluate, resolve, type Special } from './evaluate.js';
import { at, type JsonObject, listAt, objectAt, text, textAt } from './json.js';

/** Functions that the Bicep declares: `__bicep.name(…)`. They see their parameters only. */
export function userFunctions(template: JsonObject): Record<string, Special> {
  const table: Record<string, Special> = {};
  for (const space of listAt(template, 'functions')) {
    for (const [name, declared] of Object.entries(objectAt(space, 'members'))) {
      table[`${textAt(space, 'namespace') ?? ''}.${name}`] = (args, inner) => {
        const values = args.map(arg => evaluate(arg, inner));
        const names = listAt(declared, 'parameters').map(each => textAt(each, 'name'));
        const parameters: Special = (asked, scope) => {
          const wanted = text(asked[0] && evaluate(asked[0], scope));
          return values[names.indexOf(wanted)] ?? null;
        };
        return resolve(at(declared, 'output', 'value') ?? null, {
          specials: { ...table, parameters },
          lambda: new Map(),
        });
      };
    }
  }
  return table;
}
