import type { FunctionMetadata, InvocationResponse, OutputData } from '../core-types.js';
import type { BindingData } from './binding-data.js';

/** What is left in one output of a function, with what its binding's `{names}` mean for this invocation. */
export interface LeftOutput {
  readonly binding: Readonly<Record<string, unknown>>;
  readonly data: OutputData;
  readonly bindingData: BindingData;
  /** Begins a sentence about this output. */
  readonly where: string;
}

/** One type of output binding. */
export interface OutputBinding {
  readonly type: string;
  send(output: LeftOutput): Promise<void>;
}

/**
 * Sends everything that an invocation left in its outputs.
 *
 * @param bindingDataOf reads the whole trigger, which most functions have no use for
 */
export async function sendOutputs(
  bindings: ReadonlyMap<string, OutputBinding>,
  metadata: FunctionMetadata,
  response: InvocationResponse,
  bindingDataOf: () => BindingData,
): Promise<void> {
  for (const [name, binding] of Object.entries(metadata.bindings)) {
    const output = binding.direction === 'out' ? bindings.get(binding.type.toLowerCase()) : undefined;
    if (!output) continue;
    const data =
      name === '$return' ? response.returnValue : response.outputData.find(left => left.name === name)?.data;
    if (!data) continue;
    const bindingData = bindingDataOf();
    const where = `The ${binding.type} output of function "${metadata.name}"`;
    await output.send({ binding, data, bindingData, where });
  }
}
