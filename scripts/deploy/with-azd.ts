import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../root.js';
import type { Plan, Way } from './plan.js';
import { serviceName } from './plan.js';
import { shown, type Tool } from './tool.js';

/** Deploys with the Azure Developer CLI: azure.yaml, with the zip as it is. */
export class WithAzd implements Way {
  constructor(
    private readonly plan: Plan,
    private readonly tool: Tool,
  ) {}

  misfits(): readonly string[] {
    const { parameters, resourceGroup, location } = this.plan;
    return [
      ...(parameters === undefined
        ? []
        : ['--parameters is for az; azd takes infra/main.bicepparam and `azd env set`.']),
      ...(resourceGroup === undefined
        ? []
        : ['--resource-group is for az; azd takes `azd env set AZURE_RESOURCE_GROUP`.']),
      ...(location === undefined ? [] : ['--location is for az; azd takes `azd env set AZURE_LOCATION`.']),
    ];
  }

  async obstacles(): Promise<readonly string[]> {
    return (await this.tool.isSignedIn()) ? [] : ['Nobody is signed in to azd: azd auth login'];
  }

  commands(): readonly string[] {
    return this.#steps().map(args => shown('azd', args));
  }

  async deploy(): Promise<void> {
    for (const args of this.#steps()) await this.tool.run(args);
  }

  #steps(): readonly (readonly string[])[] {
    const { environment, infra, app, whatIf, zip } = this.plan;
    const of = environment === undefined ? [] : ['--environment', environment];
    return [
      ...(infra ? [['provision', ...(whatIf ? ['--preview'] : []), ...of]] : []),
      ...(app && !whatIf ? [['deploy', serviceName, '--from-package', zip, ...of]] : []),
    ];
  }
}

/** Whether somebody has made an environment of azd here. */
export const hasAzdEnvironment = (): boolean => existsSync(join(root, '.azure'));
