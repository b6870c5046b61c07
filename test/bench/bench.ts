import { join } from 'node:path';
import type { Figure, Measured } from '../../scripts/bench/figure.js';
import { scales } from '../../scripts/bench/scale.js';
import { makeTempFolder } from '../support/temp-folder.js';

/** Measures a figure as small as can be; what it kept is gone afterwards. */
export async function measureTiny(figure: Figure): Promise<Measured> {
  const folder = await makeTempFolder('bench-');
  try {
    return await figure.measure({
      scale: scales.tiny,
      folder: name => join(folder.path, name),
      say: () => {},
      signal: new AbortController().signal,
    });
  } finally {
    await folder.remove();
  }
}
