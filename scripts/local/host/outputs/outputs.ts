import { triggerNameOf } from '../bindings.js';
import type { RegisteredFunction } from '../core-module.js';
import type { InvocationCall, InvocationOutcome } from '../invoker.js';
import { errorMessage } from '../log.js';
import { bindingDataOf } from './binding-data.js';
import { blobOutput } from './blob-output.js';
import type { Output, OutputContext } from './output.js';
import { queueOutput } from './queue-output.js';
import { smsOutput } from './sms-output.js';

const factories = new Map<string, (binding: unknown, context: OutputContext) => Output>([
  ['queue', queueOutput],
  ['blob', blobOutput],
  ['twiliosms', smsOutput],
]);

/** Writes what functions leave in their output bindings. HTTP outputs are the answer and no concern of this. */
export class Outputs {
  /** By function and binding. */
  readonly #outputs = new Map<string, Map<string, Output>>();

  /** What keeps an output from being written, each as a sentence. */
  readonly problems: string[] = [];

  constructor(functions: readonly RegisteredFunction[], context: Omit<OutputContext, 'where'>) {
    for (const { metadata } of functions) {
      const own = new Map<string, Output>();
      for (const [name, binding] of Object.entries(metadata.bindings)) {
        const make = binding.direction === 'out' ? factories.get(binding.type.toLowerCase()) : undefined;
        if (!make) continue;
        const where = `The ${binding.type} output of function "${metadata.name}"`;
        try {
          own.set(name, make(binding, { ...context, where }));
        } catch (error) {
          this.problems.push(`${where} can't be used: ${errorMessage(error)}`);
        }
      }
      if (own.size > 0) this.#outputs.set(metadata.name, own);
    }
  }

  async write(
    target: RegisteredFunction,
    call: InvocationCall,
    { response }: InvocationOutcome,
  ): Promise<void> {
    const own = this.#outputs.get(target.metadata.name);
    if (!own) return;
    const bindingData = bindingDataOf(call, triggerNameOf(target.metadata));
    for (const [name, output] of own) {
      const data =
        name === '$return'
          ? response.returnValue
          : response.outputData.find(entry => entry.name === name)?.data;
      if (data) await output.write(data, bindingData);
    }
  }
}
