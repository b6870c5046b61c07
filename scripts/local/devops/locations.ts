import type { FastifyInstance } from 'fastify';
import { list } from './wire.js';

/** Where the typed client finds each resource: it asks by these well-known ids before its first call of an area. */
const plan = '{scopeIdentifier}/_apis/{area}/hubs/{hubName}/plans/{planId}';
const pool = '_apis/{area}/pools/{poolId}';
const resources: ReadonlyArray<readonly [name: string, id: string, template: string, version: number]> = [
  ['pools', 'a8c47e17-4d56-4a56-92bb-de7ea7dc65be', '_apis/{area}/{resource}/{poolId}', 1],
  ['agents', 'e298ef32-5878-4cab-993c-043836571f42', `${pool}/{resource}/{agentId}`, 1],
  ['sessions', '134e239e-2df3-4794-a6f6-24f1f19ec8dc', `${pool}/{resource}/{sessionId}`, 1],
  ['messages', 'c3a054f6-7a8a-49c0-944e-3a8e5d7adfd7', `${pool}/{resource}/{messageId}`, 1],
  ['jobrequests', 'fc825784-c92a-4299-9221-998a02d1b54f', `${pool}/{resource}/{requestId}`, 1],
  [
    'feed',
    '858983e4-19bd-4c5e-864c-507b59b58b12',
    `${plan}/timelines/{timelineId}/records/{recordId}/{resource}`,
    1,
  ],
  ['logs', '46f5667d-263a-4684-91b1-dff7fdcf64e2', `${plan}/{resource}/{logId}`, 1],
  ['records', '8893bc5b-35b2-4be7-83cb-99e683551db4', `${plan}/timelines/{timelineId}/{resource}`, 2],
  ['events', '557624af-b29e-4c20-8ab0-0399d2204f3f', `${plan}/{resource}`, 1],
  [
    'plans',
    '5cecd946-d704-471e-a45f-3b4064fcfaba',
    '{scopeIdentifier}/_apis/{area}/hubs/{hubName}/{resource}/{planId}',
    2,
  ],
  ['timelines', '83597576-cc2c-453c-bea6-2882ae6a1653', `${plan}/{resource}/{timelineId}`, 2],
];

const location = (
  area: string,
  name: string,
  id: string,
  routeTemplate: string,
  resourceVersion: number,
) => ({
  id,
  area,
  resourceName: name,
  routeTemplate,
  resourceVersion,
  minVersion: '1.0',
  maxVersion: '7.2',
  releasedVersion: '7.1',
});

export function addLocationRoutes(server: FastifyInstance): void {
  server.options('/_apis/Location', async () =>
    list([
      location(
        'Location',
        'ResourceAreas',
        'e81700f7-3be2-46de-8624-2eb35882fcaa',
        '_apis/{resource}/{areaId}',
        1,
      ),
    ]),
  );
  // An empty list of areas keeps the client on the address it was given.
  server.get('/_apis/ResourceAreas', async () => ({ count: 0, value: null }));
  server.get('/_apis/ResourceAreas/:areaId', async (_request, reply) => reply.code(404).send());
  server.options('/_apis/distributedtask', async () =>
    list(
      resources.map(([name, id, template, version]) =>
        location('distributedtask', name, id, template, version),
      ),
    ),
  );
}
