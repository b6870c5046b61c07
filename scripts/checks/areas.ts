/**
 * Who may import whom: the architecture as a table. A file belongs to the first area that it matches.
 */
export interface Area {
  readonly name: string;
  /** Folder (ending in `/`) or file. */
  readonly path: string;
  /** Folders and files of ours that it may import, beside its own area. */
  readonly local: readonly string[];
  /** Those of them that it may not. */
  readonly except?: readonly string[];
  /** Those of which it may import types only. */
  readonly localTypes?: readonly string[];
  /** npm packages that it may import; `any` includes Node.js built-ins. */
  readonly packages: readonly string[] | 'any';
  /** Those of which it may import types only. */
  readonly packageTypes?: readonly string[];
  /** What of the surroundings it must not touch. */
  readonly banned: 'everything ambient' | 'process' | 'nothing';
  /** Longest file, in lines. */
  readonly maxLines?: number;
}

const product = ['shared/', 'functions/'];

export const areas: readonly Area[] = [
  {
    name: 'domain',
    path: 'shared/domain/',
    local: [],
    packages: [],
    banned: 'everything ambient',
  },
  {
    name: 'workflow',
    path: 'shared/workflow/',
    local: ['shared/domain/'],
    packages: [],
    packageTypes: ['durable-functions'],
    banned: 'everything ambient',
  },
  {
    name: 'ports',
    path: 'shared/ports.ts',
    local: ['shared/domain/'],
    packages: [],
    banned: 'everything ambient',
  },
  {
    name: 'further ports',
    path: 'shared/ports/',
    local: ['shared/domain/'],
    packages: [],
    banned: 'everything ambient',
  },
  {
    name: 'config',
    path: 'shared/config.ts',
    local: ['shared/domain/', 'shared/config/'],
    packages: ['zod'],
    banned: 'process',
  },
  {
    name: 'parts of config',
    path: 'shared/config/',
    local: ['shared/domain/'],
    packages: ['zod'],
    banned: 'process',
  },
  {
    name: 'activities',
    path: 'shared/activities/',
    local: [
      'shared/domain/',
      'shared/workflow/contract.ts',
      'shared/ports.ts',
      'shared/change-request.ts',
      'shared/in-batches.ts',
    ],
    // The gates of the limits are made once a process, so activities are given theirs.
    localTypes: ['shared/config.ts', 'shared/limits/'],
    packages: ['zod'],
    banned: 'process',
  },
  {
    // Names of what is measured, and wrappers of ports that measure; the SDK behind it is an adapter.
    name: 'telemetry',
    path: 'shared/telemetry/',
    local: ['shared/domain/', 'shared/ports.ts'],
    localTypes: ['shared/workflow/contract.ts'],
    packages: [],
    banned: 'process',
  },
  {
    name: 'adapters',
    path: 'shared/adapters/',
    local: ['shared/domain/', 'shared/ports.ts', 'shared/ports/', 'shared/telemetry/'],
    localTypes: ['shared/config.ts', 'shared/config/'],
    packages: 'any',
    banned: 'process',
  },
  {
    // What callers say is understood in one way, whichever door it comes through.
    name: 'input',
    path: 'shared/input/',
    local: ['shared/domain/'],
    localTypes: ['shared/config.ts'],
    packages: ['zod', 'node:crypto'],
    banned: 'process',
  },
  {
    // Made of what validates; loaded when somebody asks for it.
    name: 'documents',
    path: 'shared/openapi/',
    local: ['shared/domain/', 'shared/input/', 'shared/answers/'],
    packages: ['zod', 'zod-openapi'],
    banned: 'everything ambient',
  },
  {
    // It runs in browsers, from answers alone.
    name: 'page',
    path: 'shared/dashboard/page/',
    local: ['shared/domain/'],
    localTypes: ['shared/answers/'],
    packages: ['preact', '@preact/signals'],
    banned: 'process',
  },
  {
    // What of the product is none of the above: the use cases behind routes, messages and timers.
    name: 'use cases',
    path: 'shared/',
    local: [
      'shared/domain/',
      'shared/workflow/contract.ts',
      'shared/activities/',
      'shared/input/',
      'shared/ports.ts',
      'shared/ports/',
      'shared/telemetry/',
    ],
    localTypes: ['shared/config.ts', 'shared/config/'],
    packages: ['zod', 'node:crypto'],
    banned: 'process',
  },
  {
    name: 'composition root',
    path: 'functions/composition/',
    local: ['shared/'],
    packages: 'any',
    banned: 'nothing',
  },
  {
    name: 'functions',
    path: 'functions/',
    local: ['shared/', 'functions/composition/'],
    except: ['shared/adapters/'],
    packages: ['@azure/functions', 'durable-functions'],
    banned: 'process',
    maxLines: 40,
  },
  {
    name: 'local stack',
    path: 'scripts/local/',
    local: ['scripts/'],
    packages: 'any',
    banned: 'nothing',
  },
  {
    // It judges the product from outside: knowing its rules from its code, it would forgive whatever the code does.
    name: 'chaos',
    path: 'scripts/chaos/',
    local: ['scripts/'],
    packages: 'any',
    banned: 'nothing',
  },
  {
    name: 'scripts',
    path: 'scripts/',
    local: ['shared/', 'scripts/local/', 'scripts/chaos/'],
    packages: 'any',
    banned: 'nothing',
  },
  {
    name: 'tests',
    path: 'test/',
    local: [...product, 'scripts/'],
    packages: 'any',
    banned: 'nothing',
  },
];

/** The app runs in the cloud; a word of these says that it was taught about its stand-ins. */
export const wordsOfTheLocalStack = [
  'local stack',
  '_local',
  'azurite',
  'devstoreaccount1',
  '127.0.0.1',
  'localhost',
];
/** Where loopback addresses may be named: https is not demanded of them, anywhere. */
export const addressesMayBeNamedIn = 'shared/domain/';
