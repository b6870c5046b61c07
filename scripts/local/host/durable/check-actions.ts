import { type Action, ActionType } from './actions.js';
import { kindAndName, type NumberedAction } from './asked.js';
import type { Asked } from './execution.js';

/** Names that exist, to refuse a call of one that doesn't. */
export interface KnownNames {
  readonly activities: ReadonlySet<string>;
  readonly orchestrators: ReadonlySet<string>;
}

const entityTypes = new Set<number>([
  ActionType.CallEntity,
  ActionType.SignalEntity,
  ActionType.LockEntities,
  ActionType.ReleaseEntities,
]);

/** Why the orchestration can't go on with these actions; undefined when it can. */
export function problemOf(
  actions: readonly Action[],
  numbered: readonly NumberedAction[],
  asked: readonly Asked[],
  known: KnownNames,
): string | undefined {
  if (actions.some(action => entityTypes.has(action.actionType))) {
    return 'It uses durable entities, which this host lacks.';
  }
  for (const [index, before] of asked.entries()) {
    const action = numbered[index];
    const now = action && kindAndName(action);
    if (now?.kind === before.kind && now.name === before.name) continue;
    const was = before.kind === 'timer' ? 'a timer' : `a call of '${before.name}'`;
    const is = !now ? 'nothing' : now.kind === 'timer' ? 'a timer' : `a call of '${now.name}'`;
    return `Non-Deterministic workflow detected: the history has ${was} as number ${before.number}, but the orchestrator's code now asks for ${is} there.`;
  }
  for (const action of numbered.slice(asked.length)) {
    const { kind, name } = kindAndName(action);
    if (action.actionType === ActionType.CallHttp) {
      if (action.httpRequest.tokenSource) {
        return 'It calls HTTP with a managed identity token, which this host lacks.';
      }
      continue;
    }
    if (kind === 'task' && !known.activities.has(name.toLowerCase()))
      return missing(name, 'activity', known.activities);
    if (kind === 'sub' && !known.orchestrators.has(name.toLowerCase())) {
      return missing(name, 'orchestrator', known.orchestrators);
    }
  }
  return undefined;
}

export const missing = (
  name: string,
  kind: 'activity' | 'orchestrator',
  known: ReadonlySet<string>,
): string =>
  `The function '${name}' doesn't exist, is disabled, or is not an ${kind} function. ` +
  `Additional info: The following are the known ${kind} functions: ${[...known].map(n => `'${n}'`).join(', ') || 'none'}.`;
