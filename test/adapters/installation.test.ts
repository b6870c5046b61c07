import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { installationIdOf } from '../../shared/adapters/installation.js';

const accountKey = Buffer.alloc(64, 1).toString('base64');
const connectionString = (name: string, key = accountKey): string =>
  `DefaultEndpointsProtocol=https;AccountName=${name};AccountKey=${key};EndpointSuffix=core.windows.net`;
const credential = { getToken: async () => null };

const test = suite('installationIdOf');

test('is the same on every host of an installation, however it reaches its storage', () => {
  const id = installationIdOf({ connectionString: connectionString('contoso') });
  assert.match(id ?? '', /^[0-9a-f]{12}$/);
  const otherKey = Buffer.alloc(64, 2).toString('base64');
  assert.is(installationIdOf({ connectionString: connectionString('contoso', otherKey) }), id);
  for (const serviceUri of [
    'https://contoso.table.core.windows.net',
    'https://Contoso.table.core.windows.net/',
  ]) {
    assert.is(installationIdOf({ serviceUri, credential }), id);
  }
});

test('differs for another account or table', () => {
  const ids = [
    installationIdOf({ connectionString: connectionString('contoso') }),
    installationIdOf({ connectionString: connectionString('fabrikam') }),
    installationIdOf({ connectionString: connectionString('contoso') }, 'OtherRequests'),
  ];
  assert.is(new Set(ids).size, 3);
});

test('has none on an emulator: its address is the same on every machine', () => {
  assert.is(installationIdOf({ connectionString: 'UseDevelopmentStorage=true' }), undefined);
  assert.is(
    installationIdOf({ serviceUri: 'https://localhost:10002/devstoreaccount1', credential }),
    undefined,
  );
  assert.is(installationIdOf({ serviceUri: 'http://azurite:10002/devstoreaccount1', credential }), undefined);
});

test.run();
