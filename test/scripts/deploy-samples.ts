import * as assert from 'uvu/assert';
import type { Plan } from '../../scripts/deploy/plan.js';
import type { Inputs } from '../../scripts/deploy/template.js';
import { type Answer, FakeAzure } from '../support/fake-azure.js';
import { makeTempFolder, type TempFolder } from '../support/temp-folder.js';

export const token = 'azdo-token-that-nobody-may-see';
export const plan: Plan = {
  whatIf: false,
  infra: true,
  app: true,
  resourceGroup: 'rg-agents',
  location: 'westeurope',
  parameters: '/etc/hostname',
  environment: undefined,
  zip: '/tmp/app.zip',
};
export const inputs: Inputs = {
  template: {
    parameters: {
      environmentName: { type: 'string', defaultValue: 'prod' },
      azDOUrl: { type: 'string' },
      azDOToken: { type: 'securestring', defaultValue: '' },
      callbackTokenKey: { type: 'securestring' },
    },
  },
  parameters: { azDOUrl: { value: 'https://dev.azure.com/contoso' } },
};

/** What az lists of a resource group. */
const listed = (...resources: readonly (readonly [name: string, tags: object])[]): string =>
  JSON.stringify(resources.map(([name, tags]) => ({ id: `/rg/${name}`, name, tags })));
const ours = { application: 'azdo-batch-agents', 'azd-env-name': 'prod' };
const app = {
  match: '^az resource list .*Microsoft.Web/sites',
  stdout: listed(
    ['another', { ...ours, 'azd-env-name': 'test', 'azd-service-name': 'app' }],
    ['agents-prod-1', { ...ours, 'azd-service-name': 'app' }],
    ['somebody-elses', {}],
  ),
} as const satisfies Answer;
export const well: readonly Answer[] = [
  { match: '^az group show' },
  app,
  { match: '^az resource list .*vaults', stdout: listed(['kv-other', { ...ours, 'azd-env-name': 'test' }]) },
  { match: '^az deployment group ' },
  { match: '^az functionapp deployment source config-zip', stderr: 'Deployment was successful.' },
];
export const vault: readonly Answer[] = [
  { match: '^az resource list .*vaults', stdout: listed(['kv', ours]) },
  { match: '^az resource show --ids /rg/kv/secrets/(CallbackTokenKey|AzDOToken)', stdout: '{}' },
];

export interface Azure {
  readonly temp: TempFolder;
  readonly fake: FakeAzure;
  /** What was told to whoever looks on. */
  said(): string;
  remove(): Promise<void>;
}

/** Puts fakes of Azure's command lines first on the PATH of this process, and listens to what it says. */
export async function setUpAzure(): Promise<Azure> {
  const temp = await makeTempFolder('deploy-');
  const fake = await FakeAzure.make(`${temp.path}/bin`);
  const { PATH } = process.env;
  const { error } = console;
  let said = '';
  process.env['PATH'] = fake.path;
  console.error = (...words: readonly unknown[]) => {
    said += `${words.join(' ')}\n`;
  };
  return {
    temp,
    fake,
    said: () => said,
    async remove() {
      console.error = error;
      process.env['PATH'] = PATH;
      await temp.remove();
    },
  };
}

/** @param reason that a promise must fail with */
export async function rejects(promise: Promise<unknown>, reason: RegExp): Promise<void> {
  const error = await promise.then(
    () => assert.unreachable('it should have failed'),
    (each: unknown) => each,
  );
  assert.match(error instanceof Error ? error.message : String(error), reason);
}
