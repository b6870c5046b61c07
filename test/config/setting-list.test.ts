import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { masked } from '../../shared/config/reader.js';
import { describeSettings } from '../../shared/config/setting-list.js';
import { readConfig } from '../../shared/config.js';

const env = {
  AzureWebJobsStorage: 'UseDevelopmentStorage=true',
  BatchAccountUrl: 'https://acc.example',
  BatchAccountName: 'account',
  BatchAccountKey: Buffer.from('batch secret').toString('base64'),
  AzDOUrl: 'https://dev.azure.com/contoso',
  AzDOToken: 'devops-secret',
  AzDOUbuntuPool: 'P',
  CallbackTokenKey: Buffer.alloc(32, 7).toString('base64'),
};

const settings = suite('the list of settings');

settings('has every setting that the app reads', () => {
  const read = new Set<string>();
  const watched = (given: object): Record<string, string> =>
    new Proxy(
      { ...given },
      {
        get: (target, name): unknown => {
          read.add(String(name));
          return Reflect.get(target, name);
        },
      },
    );
  readConfig(watched(env));
  const { AzureWebJobsStorage: _, ...withIdentity } = env;
  readConfig(
    watched({
      ...withIdentity,
      AzureWebJobsStorage__queueServiceUri: 'https://q.example',
      AzureWebJobsStorage__tableServiceUri: 'https://t.example',
    }),
  );
  // What the platform sets, and nobody else.
  for (const name of [...read].filter(each => each.startsWith('WEBSITE_'))) read.delete(name);
  const listed = describeSettings({}, masked).map(({ name }) => name);
  assert.equal([...read].toSorted(), listed.toSorted());
});

settings('says of each whether it is set and what holds without it, and shows no secret', () => {
  const facts = describeSettings(env, masked);
  assert.equal(
    facts.filter(({ isSet }) => isSet).map(({ name }) => name),
    Object.keys(env),
  );
  const text = facts.map(({ detail }) => detail).join('\n');
  for (const secret of [env.BatchAccountKey, env.AzDOToken, env.CallbackTokenKey]) {
    assert.not.ok(text.includes(secret));
  }
  assert.match(text, 'Interval of the pool watch; not set: 5.');
  assert.match(text, 'https://dev.azure.com/contoso');
});

settings.run();
