import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { helpEntrySchema, helpSchema } from '../../shared/answers/help.js';
import type { ApiResponse } from '../../shared/api/problem.js';
import { failureGuides, guideTo } from '../../shared/domain/failure-guide.js';
import { showAllHelp, showHelp } from '../../shared/help/help.js';
import { escapeHtml } from '../../shared/help/markup.js';

const browser = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';
const call = (code?: string, accept = browser) => ({
  headers: { get: (name: string) => (name.toLowerCase() === 'accept' ? accept : null) },
  params: code === undefined ? {} : { code },
});
const page = (code: string): ApiResponse => showHelp(call(code));

const help = suite('GET /api/help/{code}');

for (const guide of failureGuides()) {
  help(`${guide.code}: is told to people and to programs`, () => {
    const { status, headers, body } = page(guide.code);
    assert.is(status, 200);
    assert.is(headers['content-type'], 'text/html; charset=utf-8');
    for (const text of [guide.code, guide.title, guide.cause, guide.remedy, guide.who, guide.follows]) {
      assert.ok(body.includes(escapeHtml(text)), text);
    }
    const json = showHelp(call(guide.code, 'application/json'));
    assert.is(json.status, 200);
    assert.equal(helpEntrySchema.parse(JSON.parse(json.body)), guide);
  });
}

help('a code that is not known gets the general entry, and 404', () => {
  for (const code of ['NeverHeardOf', '', 'toString']) {
    const { status, headers, body } = page(code);
    assert.is(status, 404);
    assert.is(headers['cache-control'], 'no-store');
    assert.ok(body.includes(escapeHtml(guideTo(code).remedy)));
    const json = showHelp(call(code, 'application/json'));
    assert.is(json.status, 404);
    assert.equal(helpEntrySchema.parse(JSON.parse(json.body)), guideTo(code));
  }
});

help('whatever stands for a code in the address, it is text in the page', () => {
  const elements = (body: string): number => body.split('<').length;
  const usual = elements(page('NeverHeardOf').body);
  for (const code of [
    '<script>alert(1)</script>',
    '"><img src=x onerror=alert(1)>',
    "'&<!--",
    '<'.repeat(9_999),
  ]) {
    const { status, body } = page(code);
    assert.is(status, 404);
    assert.is(elements(body), usual, code.slice(0, 80));
    assert.ok(body.length < 6_000);
  }
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), code => {
      assert.is(elements(page(code).body), usual);
      helpEntrySchema.parse(JSON.parse(showHelp(call(code, 'application/json')).body));
    }),
  );
});

help('nothing may be loaded or run, and the page needs nothing but its own style', () => {
  for (const { headers, body } of [page('PoolMissing'), page('<b>'), showAllHelp(call())]) {
    const policy = headers['content-security-policy'] ?? '';
    assert.match(policy, /^default-src 'none'; /);
    assert.not.match(policy, /unsafe/);
    const style = /<style>([^]*)<\/style>/.exec(body)?.[1] ?? '';
    const hash = createHash('sha256').update(style).digest('base64');
    assert.ok(policy.includes(`style-src 'sha256-${hash}'`), 'the style is not allowed by its own policy');
    assert.is(headers['x-content-type-options'], 'nosniff');
    assert.not.match(body, /<script|<link|<img|style="|https?:\/\//);
    assert.match(body, /^<!doctype html>\n<html lang="en">/);
    assert.match(body, /name="viewport"/);
    assert.match(body, /color-scheme: light dark/);
  }
});

help('JSON is for who names it and not a page', () => {
  for (const [accept, type] of [
    ['', 'text/html'],
    ['*/*', 'text/html'],
    [browser, 'text/html'],
    ['application/json, text/html;q=0.9', 'text/html'],
    ['application/json', 'application/json'],
    ['Application/JSON;charset=utf-8', 'application/json'],
    ['application/problem+json, */*', 'application/json'],
    ['application/jsonp', 'text/html'],
  ] as const) {
    const { headers } = showHelp(call('PoolMissing', accept));
    assert.is(headers['content-type'], `${type}; charset=utf-8`, accept);
    assert.is(headers['vary'], 'accept');
    assert.match(headers['cache-control'] ?? '', /^public, max-age=\d+$/);
  }
});

help.run();

const all = suite('GET /api/help');

all('leads to each code, under its area', () => {
  const { status, body } = showAllHelp(call());
  assert.is(status, 200);
  let last = 0;
  for (const { code, title, area } of failureGuides()) {
    const at = body.indexOf(`<a href="help/${code}">${escapeHtml(title)}</a>`);
    assert.ok(at > last && body.lastIndexOf(`<h2>${escapeHtml(area)}</h2>`, at) > 0, code);
    last = at;
  }
});

all('gives programs all of them', () => {
  const { status, body } = showAllHelp(call(undefined, 'application/json'));
  assert.is(status, 200);
  assert.equal(helpSchema.parse(JSON.parse(body)).failures, failureGuides());
});

all.run();
