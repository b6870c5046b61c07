import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build, type Metafile, transform } from 'esbuild';
import type { BuiltPage } from '../../shared/dashboard/show-page.js';
import { root } from '../root.js';

const sources = join(root, 'shared', 'dashboard', 'page');
/** What every browser of the last few years understands. */
const target = ['chrome111', 'firefox113', 'safari16.4'];

/** Makes the operators' page: one file that needs nothing else. */
export const buildPage = async (): Promise<BuiltPage> => (await buildPageAndTell()).page;

/** Makes the page, and tells the files whose code is in it, from the root. */
export async function buildPageAndTell(): Promise<{ page: BuiltPage; inputs: readonly string[] }> {
  const [template, style, { script, inputs }] = await Promise.all([
    readFile(join(sources, 'index.html'), 'utf8'),
    buildStyle(),
    buildScript(),
  ]);
  // A function, because in a text "$&" would be something else than itself.
  const html = template.replace('/* style */', () => style).replace('/* script */', () => script);
  return { page: { html, scriptHash: hashOf(script), styleHash: hashOf(style) }, inputs };
}

/** The module that the app loads when the page is first asked for. */
export const pageModule = (page: BuiltPage): string => `export const page = ${JSON.stringify(page)};\n`;

async function buildStyle(): Promise<string> {
  const css = await readFile(join(sources, 'style.css'), 'utf8');
  const { code } = await transform(css, { loader: 'css', minify: true, target });
  return code.trim();
}

async function buildScript(): Promise<{ script: string; inputs: readonly string[] }> {
  const { outputFiles, metafile } = await build({
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
    metafile: true,
    // A folder of packages that is a link is the same folder.
    preserveSymlinks: true,
    logLevel: 'silent',
  });
  return { script: (outputFiles[0]?.text ?? '').trim(), inputs: inputsOf(metafile) };
}

/** The files of which something is left after what nobody uses has been left out. */
export const inputsOf = ({ outputs }: Metafile): readonly string[] =>
  Object.values(outputs).flatMap(({ inputs }) =>
    Object.entries(inputs)
      .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
      .map(([path]) => path),
  );

const hashOf = (text: string): string => `sha256-${createHash('sha256').update(text).digest('base64')}`;
