import { at, listAt, textAt, texts } from '../template/json.js';
import { mustBe, ofType, problem, type Rule, shown } from './rule.js';

/** Identities sign in; a key would be the same for everybody, for ever, and can't be told from another's use of it. */
export const keyRules: readonly Rule[] = [
  {
    name: 'no shared key opens storage',
    why: 'whoever has read an account key once can read every sealed token and queue message for ever',
    check: subject =>
      ofType(subject, 'Microsoft.Storage/storageAccounts').flatMap(account =>
        mustBe(account, 'properties.allowSharedKeyAccess', false),
      ),
  },
  {
    name: 'no shared key opens Batch',
    why: 'whoever has the key can run any task in the network',
    check: subject =>
      ofType(subject, 'Microsoft.Batch/batchAccounts').flatMap(account => {
        const modes = listAt(account.body, 'properties', 'allowedAuthenticationModes');
        const isSafe = modes.length > 0 && modes.every(mode => mode === 'AAD');
        const is =
          modes.length === 0 ? 'is not set, so that keys are allowed' : `is ${JSON.stringify(modes)}`;
        const property = 'properties.allowedAuthenticationModes';
        const storage = textAt(account.body, 'properties', 'autoStorage', 'authenticationMode');
        const hasStorage = at(account.body, 'properties', 'autoStorage') !== undefined;
        return [
          ...(isSafe ? [] : [problem(account, property, is, 'it must be ["AAD"]')]),
          // Of a user's subscription the nodes are the subscription's, with its quotas and its rights.
          ...mustBe(account, 'properties.poolAllocationMode', 'BatchService'),
          ...(!hasStorage || storage === 'BatchAccountManagedIdentity'
            ? []
            : [
                problem(
                  account,
                  'properties.autoStorage.authenticationMode',
                  shown(storage),
                  'it must be "BatchAccountManagedIdentity", or autoStorage be left out: nothing here uses it',
                ),
              ]),
        ];
      }),
  },
  {
    name: 'no admin user nor anonymous pull opens the registry',
    why: 'its password would be shared, and could push an image that every agent runs',
    check: subject =>
      ofType(subject, 'Microsoft.ContainerRegistry/registries').flatMap(registry => [
        ...mustBe(registry, 'properties.adminUserEnabled', false),
        ...mustBe(registry, 'properties.anonymousPullEnabled', false),
      ]),
  },
  {
    name: 'no instrumentation key is enough to send telemetry',
    why: 'anybody who has it could write what operators read',
    check: subject => [
      ...ofType(subject, 'Microsoft.Insights/components').flatMap(component =>
        mustBe(component, 'properties.DisableLocalAuth', true),
      ),
      ...ofType(subject, 'Microsoft.OperationalInsights/workspaces').flatMap(workspace =>
        mustBe(workspace, 'properties.features.disableLocalAuth', true),
      ),
    ],
  },
  {
    name: 'nothing asks Azure for a key',
    why: 'what listKeys() gives is kept in the history of deployments',
    check: subject =>
      subject.secretCalls.map(({ file, name, of }) => ({
        file,
        resource: of.split('/providers/').at(-1) ?? of,
        property: `${name}()`,
        is: 'is called',
        should: 'let an identity sign in',
      })),
  },
  {
    name: 'no key or signature is written anywhere',
    why: 'whoever may read the resource could use it',
    check: subject =>
      subject.resources.flatMap(resource =>
        [...texts(resource.body)]
          .filter(({ text }) => /AccountKey=|SharedAccessSignature=|SharedAccessKey=|[?&]sig=/i.test(text))
          .map(({ path }) => problem(resource, path, 'holds a key or signature', 'let an identity sign in')),
      ),
  },
];
