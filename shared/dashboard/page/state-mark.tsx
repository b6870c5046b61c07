import type { RequestState } from '../../domain/request.js';
import { stateWords } from './life.js';

/** Not by colour alone. */
const marks: Readonly<Record<RequestState, string>> = {
  accepted: '◌',
  provisioning: '◔',
  starting: '◑',
  online: '◕',
  busy: '●',
  completed: '✓',
  expired: '⌛︎',
  cancelled: '⊘',
  deadLettered: '✕',
};

export const StateMark = ({ state }: { readonly state: RequestState }) => (
  <span class={`state ${state}`}>
    <span aria-hidden="true">{marks[state]}</span> {stateWords[state] ?? state}
  </span>
);

export const endMark = (state: RequestState): string => marks[state];
