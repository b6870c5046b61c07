import { existsSync, readFileSync } from 'node:fs';
import { join as joinNative } from 'node:path';
import { dirname, join } from 'node:path/posix';

/** Which Bicep file each nested template was compiled from: templates do not tell. */
export interface ModuleFiles {
  readonly file: string;
  /** The file of a module, by its symbolic name where the template has it, else by its place among the modules. */
  module(symbol: string | undefined, index: number): ModuleFiles;
}

/** @param file relative to `root`, with slashes. */
export function moduleFiles(root: string, file: string): ModuleFiles {
  const path = joinNative(root, file);
  const source = existsSync(path) ? readFileSync(path, 'utf8') : '';
  const modules = [...source.matchAll(/^module\s+(\w+)\s+'([^']+)'/gm)].map(([, symbol, relative]) => ({
    symbol,
    file: join(dirname(file), relative ?? ''),
  }));
  const known = new Map<string, ModuleFiles>();
  return {
    file,
    module: (symbol, index) => {
      const found = symbol === undefined ? modules[index] : modules.find(each => each.symbol === symbol);
      const target = found?.file ?? file;
      const made = known.get(target) ?? moduleFiles(root, target);
      known.set(target, made);
      return made;
    },
  };
}
