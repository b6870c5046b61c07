import { cp, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as z from 'zod';
import { loadOnce } from '../../scripts/bench/loading/load-once.js';
import { startTraces } from '../../scripts/local/traces/server.js';
import { makePackage } from '../../scripts/package/make-package.js';
import { root } from '../../scripts/root.js';
import { startScriptedServer } from '../adapters/scripted-server.js';
import { withStack } from '../support/stack.js';
import { makeTempFolder, type TempFolder } from '../support/temp-folder.js';
import { unzip } from '../support/unzip.js';
import { waitFor } from '../support/wait-for.js';
import { agentsApi } from './support/agents-api.js';
import { endsWithOneAgent } from './support/one-agent.js';
import { pipelinesOf } from './support/pipelines.js';
import { openWorld } from './support/world.js';

/** Outside of this repository: whatever is not in it can't be found by chance. */
let app: TempFolder;

const packaged = suite('the packaged app');

packaged.before(async () => {
  app = await makeTempFolder('packaged-');
  const made = await makeTempFolder('package-');
  try {
    await unzip((await makePackage(made.path)).zip, app.path);
  } finally {
    await made.remove();
  }
});
packaged.after(async () => app.remove());

packaged('is a zip with what a host asks for, and no node_modules', async () => {
  const files = await readdir(app.path);
  for (const file of ['package.json', 'host.json', 'index.js']) assert.ok(files.includes(file), file);
  assert.not.ok(files.includes('node_modules'));
});

packaged(
  'gives a pipeline its agent, operators their page, others the document, and a collector its spans',
  async () => {
    const collector = await startTraces();
    const key = '00000000-0000-0000-0000-000000000001';
    // It speaks https only, which nobody does there.
    const insights = `InstrumentationKey=${key};IngestionEndpoint=${collector.url}/`;
    let output = '';
    const { stack, end } = await openWorld({
      app: app.path,
      onEvent: event => {
        if (event.type === 'line') output += `${event.line}\n`;
      },
      settings: {
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
        OTEL_METRIC_EXPORT_INTERVAL: '1000',
        APPLICATIONINSIGHTS_CONNECTION_STRING: insights,
      },
    });
    try {
      const pipelines = pipelinesOf(stack);
      const { runId } = await pipelines.start();
      await endsWithOneAgent({ stack, api: agentsApi(stack), pipelines }, runId);
      const requestId = await pipelines.requestId(runId);
      await waitFor('the collector to be told', async () =>
        (await (await fetch(`${collector.url}/traces/${requestId}`)).text()).includes('finishRequest'),
      );
      await waitFor('the other to be tried', () => /The traces can't be exported \(RestError/.test(output));
      assert.not.match(output, 'Telemetry is off');
      const page = await fetch(`${stack.url('host')}/api/dashboard`, {
        headers: { 'x-functions-key': stack.functionKey },
      });
      assert.is(page.status, 200);
      const document = OpenApi.parse(await (await fetch(`${stack.url('host')}/api/openapi.json`)).json());
      assert.ok(
        document.paths['/agents'] ?? document.paths['/api/agents'],
        Object.keys(document.paths).join(' '),
      );
      assert.match(await page.text(), /^<!doctype html>[^]*<script type="module">[^]+<\/script>/);
    } finally {
      await end();
      await collector.close();
    }
  },
);

packaged('ends when a part of it can not be loaded, so that the host starts it anew', async () => {
  const broken = await makeTempFolder('packaged-');
  try {
    await cp(app.path, broken.path, { recursive: true });
    const [file = ''] = (await readdir(broken.path)).filter(name => /^storage-queue-.*\.js$/.test(name));
    await rm(join(broken.path, file));
    const failure = await loadOnce(join(broken.path, 'index.js'), new AbortController().signal).then(
      () => assert.unreachable('it should have ended'),
      (error: unknown) => error,
    );
    assert.match(String(failure), 'Ending, because a part of the app could not be loaded');
    assert.match(String(failure), file);
  } finally {
    await broken.remove();
  }
});

const OpenApi = z.object({ openapi: z.literal('3.1.0'), paths: z.record(z.string(), z.unknown()) });
const Package = z.object({ version: z.string() });
const devOpsClient = join(root, 'node_modules', 'azure-devops-node-api', 'package.json');
const Health = z.object({ dependencies: z.record(z.string(), z.object({ reachable: z.boolean() })) });

packaged('signs in with its managed identity where it was given no key', async () => {
  const services = await startScriptedServer();
  services.script(({ url, headers }) => {
    if (url.startsWith('/identity')) {
      const expires_on = String(Math.floor(Date.now() / 1_000) + 3_600);
      return { status: 200, body: { access_token: 'from-identity', token_type: 'Bearer', expires_on } };
    }
    return headers['authorization'] === 'Bearer from-identity'
      ? { status: 200, body: { value: [] } }
      : { status: 401 };
  });
  try {
    const health = await withStack(
      {
        app: app.path,
        parts: ['storage', 'host'],
        settings: {
          BatchAccountUrl: services.url,
          AzDOUrl: services.url,
          AzDOUbuntuPool: 'Ubuntu',
          // Where the platform keeps the identity of an app.
          IDENTITY_ENDPOINT: `${services.url}/identity`,
          IDENTITY_HEADER: 'header',
        },
      },
      async stack => Health.parse(await (await fetch(`${stack.url('host')}/api/health`)).json()),
    );
    assert.equal(health.dependencies, {
      storage: { reachable: true },
      batch: { reachable: true },
      azureDevOps: { reachable: true },
    });
    const { version } = Package.parse(JSON.parse(await readFile(devOpsClient, 'utf8')));
    // A client that does not find its own files says "unknown", or takes our version for its.
    const clients = services.calls.map(({ headers }) => String(headers['user-agent']));
    assert.ok(
      clients.some(client => client.includes(`azure-devops-node-api ${version}`)),
      clients.join('\n'),
    );
  } finally {
    await services.close();
  }
});

packaged.run();
