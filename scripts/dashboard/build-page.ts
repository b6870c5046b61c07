import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build, transform } from 'esbuild';
import type { BuiltPage } from '../../shared/dashboard/show-page.js';
import { root } from '../root.js';

const sources = join(root, 'shared', 'dashboard', 'page');
/** What every browser of the last few years understands. */
const target = ['chrome111', 'firefox113', 'safari16.4'];

/** Makes the operators' page: one file that needs nothing else. */
export async function buildPage(): Promise<BuiltPage> {
  const [template, style, script] = await Promise.all([
    readFile(join(sources, 'index.html'), 'utf8'),
    buildStyle(),
    buildScript(),
  ]);
  // A function, because in a text "$&" would be something else than itself.
  const html = template.replace('/* style */', () => style).replace('/* script */', () => script);
  return { html, scriptHash: hashOf(script), styleHash: hashOf(style) };
}

/** The module that the app loads when the page is first asked for. */
export const pageModule = (page: BuiltPage): string => `export const page = ${JSON.stringify(page)};\n`;

async function buildStyle(): Promise<string> {
  const css = await readFile(join(sources, 'style.css'), 'utf8');
  const { code } = await transform(css, { loader: 'css', minify: true, target });
  return code.trim();
}

async function buildScript(): Promise<string> {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: [join(sources, 'main.tsx')],
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target,
    minify: true,
    jsx: 'automatic',
    jsxImportSource: 'preact',
    legalComments: 'none',
    // Text that would end the element that it stands in.
    supported: { 'inline-script': false },
    write: false,
    logLevel: 'silent',
  });
  return (outputFiles[0]?.text ?? '').trim();
}

const hashOf = (text: string): string => `sha256-${createHash('sha256').update(text).digest('base64')}`;
