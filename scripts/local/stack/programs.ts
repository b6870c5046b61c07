import { join } from 'node:path';
import { root } from '../../root.js';
import type { Ready } from './part.js';
import type { PartName } from './plan.js';

/**
 * Where the programs are: as compiled, or in a folder of the same layout. A run of the tests names one of bundles in the
 * environment, which start quicker (scripts/testing/bundled).
 */
export const programsFolder = process.env['LOCAL_PROGRAMS'] || join(root, 'dist');

/** The app that a host loads unless told otherwise: this product. */
export const defaultApp = process.env['LOCAL_PROGRAMS'] || root;

/** The program of each part in such a folder. */
export const programsIn = (folder: string): Readonly<Record<PartName, string>> => ({
  storage: join(folder, 'scripts', 'local', 'storage', 'main.js'),
  devops: join(folder, 'scripts', 'local', 'devops', 'main.js'),
  batch: join(folder, 'scripts', 'local', 'batch', 'main.js'),
  host: join(folder, 'scripts', 'local', 'host', 'main.js'),
});

export const programs = programsIn(programsFolder);

/**
 * The arguments that give a part its port: the one it had before, else the one that is wanted, else a free one.
 *
 * @param last what the part said when it was last ready
 */
export function portArguments(
  name: PartName,
  last: Ready | undefined,
  wanted: Partial<Record<PartName, number>> = {},
): readonly string[] {
  if (name === 'storage') return last ? storagePorts(last) : [];
  return ['--port', last ? new URL(last.url).port : String(wanted[name] ?? 0)];
}

/** Storage has a port for each of its services. */
function storagePorts({ details }: Ready): string[] {
  return ['blob', 'queue', 'table'].flatMap(kind => {
    const endpoint = new RegExp(`${kind}Endpoint=http://[^;/]+:(\\d+)/`, 'i');
    const port = endpoint.exec(details?.['connectionString'] ?? '')?.[1];
    return port === undefined ? [] : [`--${kind}-port`, port];
  });
}
