import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';

/** A text in every shape in which it could lie somewhere by accident. */
function shapesOf(text: string): ReadonlyMap<string, Buffer> {
  const bytes = Buffer.from(text, 'utf8');
  const shapes = new Map<string, Buffer>([
    ['plain', bytes],
    ['UTF-16', Buffer.from(text, 'utf16le')],
    ['hex', Buffer.from(bytes.toString('hex'))],
  ]);
  for (const encoding of ['base64', 'base64url'] as const) {
    // What it looks like inside of a longer text depends on how many bytes come before it.
    for (const before of [0, 1, 2]) {
      const encoded = Buffer.concat([Buffer.alloc(before), bytes])
        .toString(encoding)
        .replace(/=+$/, '');
      const whole = encoded.slice(before === 0 ? 0 : before + 1, -2);
      shapes.set(`${encoding}, ${before} bytes in`, Buffer.from(whole));
    }
  }
  return shapes;
}

/** Everywhere that a text is found under a folder, in any shape: `file (shape)`. */
export async function findInFiles(folder: string, text: string): Promise<readonly string[]> {
  const found: string[] = [];
  const shapes = shapesOf(text);
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const content = await readFile(path).catch((error: unknown) => {
      // Files come and go while the stack runs.
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return Buffer.alloc(0);
      throw error;
    });
    for (const [shape, bytes] of shapes) {
      if (content.includes(bytes)) found.push(`${relative(folder, path)} (${shape})`);
    }
  }
  return found;
}

export function findInText(where: string, content: string, text: string): readonly string[] {
  const bytes = Buffer.from(content);
  return [...shapesOf(text)].flatMap(([shape, wanted]) =>
    bytes.includes(wanted) ? [`${where} (${shape})`] : [],
  );
}
