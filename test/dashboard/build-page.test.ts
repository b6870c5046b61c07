import { createHash } from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { buildPage } from '../../scripts/dashboard/build-page.js';
import { overviewSchema } from '../../shared/answers/overview.js';
import { poolsSchema } from '../../shared/answers/pools.js';
import { sampleOverview, samplePools } from './sample-answers.js';

const built = suite("the built operators' page");

built(
  'is one file that needs nothing else, and its policy knows its one style and its one script',
  async () => {
    const { html, scriptHash, styleHash } = await buildPage();
    const only = (tag: 'style' | 'script'): string => {
      const found = [...html.matchAll(new RegExp(`<${tag}[^>]*>([^]*?)</${tag}>`, 'g'))];
      assert.is(found.length, 1, tag);
      return found[0]?.[1] ?? '';
    };
    const hash = (text: string): string => `sha256-${createHash('sha256').update(text).digest('base64')}`;
    assert.is(hash(only('style')), styleHash);
    assert.is(hash(only('script')), scriptHash);
    assert.not.match(html, /<(?:link|script|img|iframe)[^>]+(?:src|href)="(?!data:)/);
    assert.not.match(only('style'), /@import|url\(/);
    assert.not.match(only('script'), /\beval\(|new Function|localStorage|sessionStorage|document\.cookie/);
    assert.ok(html.length < 100_000, `${html.length} characters are a lot for a page`);
  },
);

built('is tried with numbers such as the app gives', () => {
  assert.equal(poolsSchema.parse(samplePools()).pools.length, 3);
  assert.ok(overviewSchema.parse(sampleOverview()).timeToOnline.count > 0);
});

built.run();
