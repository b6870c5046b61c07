import type { JsonObject } from './json.js';

/** A resource as a deployment makes it, with all expressions resolved. */
export interface Resource {
  readonly id: string;
  /** E.g. `Microsoft.Batch/batchAccounts/pools`. */
  readonly type: string;
  /** With its parents' names, e.g. `account/pool`. */
  readonly name: string;
  readonly apiVersion: string;
  /** The Bicep file that makes it, e.g. `infra/modules/network.bicep`. */
  readonly file: string;
  /** All of it, as the template has it: `name`, `location`, `properties`, … */
  readonly body: JsonObject;
}
