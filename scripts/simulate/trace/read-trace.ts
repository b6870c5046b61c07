import { extname } from 'node:path';
import { readCsv } from './csv.js';
import { generateTrace } from './generate.js';
import { readRecipe } from './recipe.js';
import { readRequests } from './requests.js';
import type { Trace } from './trace.js';

interface Options {
  /** Of a node; a job that needs more would never run. */
  readonly slots: number;
  /** For a recipe, instead of its own. */
  readonly seed?: number | undefined;
}

/**
 * Reads a trace: a recipe (`.yaml`), requests as the command line lists them (`.json`), or lines of CSV.
 *
 * @throws InputError that names every place
 */
export function readTrace(file: string, text: string, { slots, seed }: Options): Trace {
  switch (extname(file).toLowerCase()) {
    case '.yaml':
    case '.yml':
      return generateTrace(file, readRecipe(file, text, slots), seed);
    case '.json':
      return readRequests(file, text);
    default:
      return readCsv(file, text, slots);
  }
}
