import { readFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { glob } from 'tinyglobby';
import { root } from '../../scripts/root.js';

/** A page of the documents. */
export interface Document {
  /** From the root, with `/`. */
  readonly path: string;
  readonly text: string;
  /** Its text without blocks of code, in which nothing is a link or a heading. */
  readonly prose: string;
}

export async function readDocuments(): Promise<readonly Document[]> {
  const paths = await glob(['**/*.md'], {
    cwd: root,
    dot: true,
    ignore: ['**/node_modules/**', 'dist/**', '.git/**', '.local/**'],
  });
  return Promise.all(
    paths.toSorted().map(async path => {
      const text = await readFile(join(root, path), 'utf8');
      return { path, text, prose: text.replaceAll(/^( *)(```|~~~)[\s\S]*?^\1\2 *$/gm, '') };
    }),
  );
}

/** Where the links and pictures of a page lead, as they are written. */
export function linksOf({ prose }: Document): readonly string[] {
  const text = prose.replaceAll(/`[^`\n]*`/g, '');
  const patterns = [/\]\(\s*<?([^)\s>]+)/g, /\s(?:src|srcset|href)="([^"]+)"/g, /^\[[^\]]+\]:\s*(\S+)/gm];
  return patterns.flatMap(pattern => [...text.matchAll(pattern)].map(([, target = '']) => target));
}

/** The file of this repository that a link leads to, and the heading in it; undefined for other sites. */
export function targetOf(
  from: string,
  link: string,
): { path: string; anchor: string | undefined } | undefined {
  if (/^[a-z][a-z+.-]*:/i.test(link)) return undefined;
  const [file = '', anchor] = link.split('#');
  const path = file === '' ? from : relative(root, resolve(root, dirname(from), decodeURIComponent(file)));
  return { path: path.replaceAll('\\', '/'), anchor };
}

/** The anchors that GitHub makes of the headings of a page. */
export function anchorsOf({ prose }: Document): ReadonlySet<string> {
  const seen = new Map<string, number>();
  const anchors = new Set<string>();
  for (const [, heading = ''] of prose.matchAll(/^#{1,6} +(.+?) *#*$/gm)) {
    const shown = heading.replaceAll(/!?\[([^\]]*)\]\([^)]*\)/g, '$1').replaceAll(/[`*]/g, '');
    const anchor = shown
      .trim()
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\p{M}_\- ]/gu, '')
      .replaceAll(' ', '-');
    const count = seen.get(anchor) ?? 0;
    seen.set(anchor, count + 1);
    anchors.add(count === 0 ? anchor : `${anchor}-${count}`);
  }
  for (const [, id = ''] of prose.matchAll(/<a (?:id|name)="([^"]+)"/g)) anchors.add(id);
  return anchors;
}
