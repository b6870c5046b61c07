import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ApiRequest } from '../../shared/api/api-request.js';
import { json } from '../../shared/api/problem.js';
import { readConfig } from '../../shared/config.js';
import { answerPage } from '../../shared/dashboard/data-routes.js';
import { forSignedIn } from '../../shared/dashboard/signed-in.js';
import { apiCall, bodyOf, type CallOptions } from '../fakes/api-call.js';
import { createWorld } from '../fakes/world.js';

const principal = Buffer.from(
  JSON.stringify({ auth_typ: 'aad', claims: [{ typ: 'name', val: 'x' }] }),
).toString('base64');
const signedIn = {
  'x-ms-client-principal': principal,
  'x-ms-client-principal-name': 'kim@contoso.com\tERROR',
};
const fromPage = { 'x-requested-by': 'dashboard', 'content-type': 'application/json' };
const call = (method: string, path: string, options: CallOptions = {}): ApiRequest => ({
  ...apiCall({ ...options, params: { path } }),
  method,
});
const redriveNobody = (headers: Readonly<Record<string, string>>): ApiRequest =>
  call('POST', 'deadletters/redrive', { body: { requestIds: ['nobody'] }, headers });

const access = suite('who may see the page');

access(
  'whoever got past the host with a key; with Easy Auth, whoever the platform says has signed in',
  async () => {
    const { config } = createWorld();
    const ask = async (dashboardAuth: 'key' | 'easyAuth', headers: Readonly<Record<string, string>>) =>
      (
        await forSignedIn(
          { dashboardAuth },
          answerPage({ ...createWorld(), config: { ...config, dashboardAuth } }),
        )(call('GET', 'requests', { headers }))
      ).status;
    assert.is(await ask('key', {}), 200);
    assert.is(await ask('easyAuth', signedIn), 200);
    for (const header of [
      '',
      'nonsense',
      Buffer.from('{}').toString('base64'),
      Buffer.from('{"claims":[]}').toString('base64'),
    ]) {
      assert.is(await ask('easyAuth', { 'x-ms-client-principal': header }), 401, header);
    }
    assert.is(await ask('easyAuth', { 'x-ms-client-principal-name': 'kim@contoso.com' }), 401);
  },
);

access(
  'Easy Auth is refused where the platform does not sign people in: anybody could send its headers',
  () => {
    const env = {
      AzureWebJobsStorage: 'UseDevelopmentStorage=true',
      BatchAccountUrl: 'https://account.region.batch.azure.com',
      AzDOUrl: 'https://dev.azure.com/contoso',
      AzDOUbuntuPool: 'Private Linux',
      CallbackTokenKey: Buffer.alloc(32, 7).toString('base64'),
    };
    const read = (settings: Readonly<Record<string, string>>): string => {
      try {
        return readConfig({ ...env, ...settings }).dashboardAuth;
      } catch (error) {
        return error instanceof Error ? error.message : 'thrown';
      }
    };
    assert.is(read({}), 'key');
    assert.is(read({ DashboardAuth: 'easyAuth', WEBSITE_AUTH_ENABLED: 'True' }), 'easyAuth');
    assert.match(
      read({ DashboardAuth: 'easyAuth' }),
      'DashboardAuth: "easyAuth" needs App Service authentication',
    );
    assert.match(read({ DashboardAuth: 'easyAuth', WEBSITE_AUTH_ENABLED: 'False' }), 'DashboardAuth');
    assert.match(read({ DashboardAuth: 'none' }), 'DashboardAuth: must be "key" or "easyAuth"');
  },
);

access.run();

const routes = suite('what the page asks for');

routes('is answered as the API answers it, and kept by nobody', async () => {
  const world = createWorld();
  const list = await answerPage(world)(call('GET', 'requests'));
  assert.equal(bodyOf(list), { requests: [], continuation: null });
  assert.is(list.headers['cache-control'], 'no-store');
  assert.is(list.headers['x-content-type-options'], 'nosniff');
  assert.is((await answerPage(world)(call('GET', 'requests/nobody'))).status, 404);
  assert.equal(bodyOf(await answerPage(world)(call('GET', 'deadletters'))), {
    deadLetters: [],
    continuation: null,
  });
});

routes('has what the composition adds', async () => {
  const plugged = answerPage(createWorld(), { 'GET pools': async () => json(200, { pools: [] }) });
  assert.equal(bodyOf(await plugged(call('GET', 'pools'))), { pools: [] });
  assert.is((await plugged(call('GET', 'overview'))).status, 404);
});

routes('has no others', async () => {
  for (const [method, path] of [
    ['GET', ''],
    ['GET', 'nothing'],
    ['GET', 'requests/a/b'],
    ['GET', 'deadletters/redrive'],
    ['POST', 'requests'],
    ['POST', 'deadletters/purge'],
    ['GET', 'constructor'],
  ] as const) {
    const answer = await answerPage(createWorld())(call(method, path, { headers: fromPage }));
    assert.is(answer.status, 404, path);
    assert.is(bodyOf(answer)['code'], 'RouteNotFound', path);
  }
});

routes('changes nothing for another site: its forms have neither the header nor the type', async () => {
  const world = createWorld();
  for (const headers of [
    {},
    { 'content-type': 'application/json' },
    { 'x-requested-by': 'dashboard', 'content-type': 'text/plain' },
    { ...fromPage, 'sec-fetch-site': 'cross-site' },
    { ...fromPage, 'sec-fetch-site': 'same-site' },
  ]) {
    const answer = await answerPage(world)(redriveNobody(headers));
    assert.equal([answer.status, bodyOf(answer)['code']], [403, 'NotFromThePage'], JSON.stringify(headers));
  }
  assert.equal(world.log.lines, []);
  assert.is(
    (await answerPage(world)(redriveNobody({ ...fromPage, 'sec-fetch-site': 'same-origin' }))).status,
    200,
  );
});

routes('tells the log who redrove, where the platform says who that is', async () => {
  const world = createWorld();
  await answerPage(world)(redriveNobody({ ...fromPage, ...signedIn }));
  assert.equal(world.log.lines, ['info: The page was used for deadletters/redrive.']);
  const easyAuth = createWorld();
  const config = { ...easyAuth.config, dashboardAuth: 'easyAuth' as const };
  await answerPage({ ...easyAuth, config })(redriveNobody({ ...fromPage, ...signedIn }));
  assert.equal(easyAuth.log.lines, [
    'info: The page was used for deadletters/redrive by kim@contoso.comERROR.',
  ]);
});

routes.run();
