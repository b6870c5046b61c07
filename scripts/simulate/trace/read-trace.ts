import { extname } from 'node:path';
import { readCsv } from './csv.js';
import { generateTrace } from './generate.js';
import { type Recipe, readRecipe } from './recipe.js';
import { readRequests } from './requests.js';
import type { Trace } from './trace.js';

interface Options {
  /** Of a node; a job that needs more would never run. */
  readonly slots: number;
  /** For a recipe, instead of its own. */
  readonly seed?: number | undefined;
}

const isRecipe = (file: string): boolean => ['.yaml', '.yml'].includes(extname(file).toLowerCase());

/**
 * The pool that a trace is for, where it says so: a day of a hundred agents tells nothing about a pool of four nodes.
 *
 * @throws InputError as readTrace does
 */
export const poolOfTrace = (file: string, text: string): Recipe['pool'] =>
  isRecipe(file) ? readRecipe(file, text, Number.POSITIVE_INFINITY).pool : undefined;

/**
 * Reads a trace: a recipe (`.yaml`), requests as the command line lists them (`.json`), or lines of CSV.
 *
 * @throws InputError that names every place
 */
export function readTrace(file: string, text: string, { slots, seed }: Options): Trace {
  if (isRecipe(file)) return generateTrace(file, readRecipe(file, text, slots), seed);
  return extname(file).toLowerCase() === '.json' ? readRequests(file, text) : readCsv(file, text, slots);
}
