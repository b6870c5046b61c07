import * as z from 'zod';
import type { Plan, Way } from './plan.js';
import { serviceName } from './plan.js';
import { parameterFile, secretValues, withSecretFile } from './secrets.js';
import { type Inputs, isSecret, templatePath } from './template.js';
import { Failed, shown, type Tool } from './tool.js';

const Resources = z.array(
  z.object({ id: z.string(), name: z.string(), tags: z.record(z.string(), z.string()).nullish() }),
);
type Resource = z.infer<typeof Resources>[number];

/** The version of the API that tells of a secret, though not its value. */
const vaultApi = '2024-11-01';

/** After an upload az calls the app from here; some versions go on for ever where they may not. */
const healthCheck = { after: /Checking the health of the function app/, ms: 60_000 };
const uploaded = /Deployment was successful|Checking the health of the function app/;

/** Deploys with the Azure CLI: the committed template, then the zip. */
export class WithAz implements Way {
  readonly #group: string;
  readonly #environment: string;

  /** @param healthMs how long az may try to reach the app after the upload. */
  constructor(
    private readonly plan: Plan,
    private readonly inputs: Inputs,
    private readonly tool: Tool,
    private readonly healthMs = healthCheck.ms,
  ) {
    this.#group = plan.resourceGroup ?? 'RESOURCE_GROUP';
    const { environmentName } = inputs.parameters;
    const named = environmentName?.value ?? inputs.template.parameters['environmentName']?.defaultValue;
    this.#environment = typeof named === 'string' ? named : 'prod';
  }

  misfits(): readonly string[] {
    const { resourceGroup, environment } = this.plan;
    return [
      ...(resourceGroup === undefined ? ['az needs --resource-group.'] : []),
      ...(environment === undefined
        ? []
        : ['--environment is for azd; az takes the parameter environmentName.']),
    ];
  }

  async obstacles(): Promise<readonly string[]> {
    if (!(await this.tool.isSignedIn())) return ['Nobody is signed in to az: az login'];
    const { resourceGroup, location, whatIf } = this.plan;
    if (resourceGroup === undefined) return [];
    const isThere = (await this.tool.ask('group', 'show', '--name', resourceGroup)) !== undefined;
    if (isThere || (location !== undefined && !whatIf)) return [];
    return [
      `There is no resource group ${resourceGroup} in the subscription that az uses (az account show): make it with ` +
        `\`az group create --name ${resourceGroup} --location REGION\`${whatIf ? '' : ', or say --location REGION'}.`,
    ];
  }

  commands(): readonly string[] {
    return [
      ...(this.plan.infra && this.plan.location !== undefined && !this.plan.whatIf
        ? [this.#createGroup()]
        : []),
      ...(this.plan.infra ? [this.#deployment('SECRETS_FILE')] : []),
      ...(this.plan.app && !this.plan.whatIf ? [this.#publish('APP')] : []),
    ].map(args => shown('az', args));
  }

  async deploy(): Promise<void> {
    if (this.plan.infra) await this.#deployInfra();
    if (this.plan.app && !this.plan.whatIf) await this.#deployApp();
  }

  async #deployInfra(): Promise<void> {
    // It changes nothing where the group is there already, but for a location that is not its own, which it refuses.
    const isThere = (await this.tool.ask('group', 'show', '--name', this.#group)) !== undefined;
    if (!isThere) await this.tool.run(this.#createGroup());
    const values = secretValues(this.inputs, process.env, isThere ? await this.#inVault() : new Set());
    await withSecretFile('secrets.parameters.json', parameterFile(values), async path => {
      await this.tool.run(this.#deployment(path));
    });
  }

  /** The secret parameters whose values the vault of this environment has. */
  async #inVault(): Promise<ReadonlySet<string>> {
    const found = new Set<string>();
    for (const vault of await this.#resources('Microsoft.KeyVault/vaults')) {
      for (const [name, parameter] of Object.entries(this.inputs.template.parameters)) {
        if (!isSecret(parameter)) continue;
        const id = `${vault.id}/secrets/${name.charAt(0).toUpperCase()}${name.slice(1)}`;
        // Taking a secret for missing would replace the key under which pipelines wait.
        if (await this.tool.finds('resource', 'show', '--ids', id, '--api-version', vaultApi))
          found.add(name);
      }
    }
    return found;
  }

  async #deployApp(): Promise<void> {
    const apps = (await this.#resources('Microsoft.Web/sites')).filter(
      ({ tags }) => tags?.['azd-service-name'] === serviceName,
    );
    const [app, another] = apps;
    if (!app || another) {
      throw new Error(
        `${app ? `${apps.length} apps` : 'No app'} of this product in the resource group ${this.#group} for the ` +
          `environment ${this.#environment}: deploy the infrastructure first, and say in --parameters which ` +
          'environmentName is meant.',
      );
    }
    try {
      const ended = await this.tool.run(this.#publish(app.name), { ...healthCheck, ms: this.healthMs });
      if (!ended) this.#notReached(app.name);
    } catch (error) {
      if (!(error instanceof Failed)) throw error;
      if (!uploaded.test(error.said)) throw new Error(`${error.message} ${hint}`, { cause: error });
      this.#notReached(app.name);
    }
  }

  #notReached(app: string): void {
    console.error(
      `The package is up. Whether ${app} is well could not be seen from here: it answers Azure DevOps, and the ` +
        'addresses in the parameter allowedAddresses. Ask it from one of those: npm run agents -- doctor',
    );
  }

  /** Resources of this product and environment. */
  async #resources(type: string): Promise<readonly Resource[]> {
    const args = ['resource', 'list', '--resource-group', this.#group, '--resource-type', type];
    const answer = await this.tool.ask(...args, '--output', 'json');
    if (answer === undefined)
      throw new Error(`az could not list what is in the resource group ${this.#group}.`);
    return Resources.parse(JSON.parse(answer)).filter(
      ({ tags }) =>
        tags?.['application'] === 'azdo-batch-agents' && tags['azd-env-name'] === this.#environment,
    );
  }

  #createGroup(): readonly string[] {
    return [
      'group',
      'create',
      '--name',
      this.#group,
      '--location',
      this.plan.location ?? '',
      '--output',
      'none',
    ];
  }

  #deployment(secretsFile: string): readonly string[] {
    const { parameters, whatIf } = this.plan;
    return [
      'deployment',
      'group',
      whatIf ? 'what-if' : 'create',
      '--resource-group',
      this.#group,
      '--name',
      `azdo-batch-agents-${this.#environment}`,
      '--template-file',
      templatePath,
      ...(parameters === undefined ? [] : ['--parameters', `@${parameters}`]),
      '--parameters',
      `@${secretsFile}`,
      // A deployment tells its outputs; its parameters are of no interest.
      ...(whatIf ? [] : ['--query', 'properties.outputs', '--output', 'json']),
    ];
  }

  /** https://learn.microsoft.com/azure/azure-functions/deployment-zip-push: on Flex Consumption, too. */
  #publish(app: string): readonly string[] {
    const to = ['--resource-group', this.#group, '--name', app];
    return ['functionapp', 'deployment', 'source', 'config-zip', ...to, '--src', this.plan.zip];
  }
}

const hint =
  'A 403 says that this address may not deploy to the app: add it to the parameter allowedAddresses, and deploy the ' +
  'infrastructure once more.';
