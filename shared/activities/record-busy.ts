import { changeRequest } from '../change-request.js';
import { advance } from '../domain/lifecycle.js';
import type { Activities } from '../workflow/contract.js';
import type { Dependencies } from './dependencies.js';

/** See {@link Activities}. */
export const recordBusy =
  ({ store, clock }: Dependencies) =>
  async (input: Activities['recordBusy']['input']): Promise<Activities['recordBusy']['output']> => {
    await changeRequest(store, input, row =>
      row.state === 'online' && row.attempt === input.attempt
        ? advance(row, { to: 'busy', at: clock.now().toISOString(), detail: 'The agent runs its job.' })
        : undefined,
    );
    return { kind: 'recorded' };
  };
