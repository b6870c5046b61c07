import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { writePlots } from '../../scripts/bench/plots.js';
import { makeTempFolder } from '../support/temp-folder.js';
import { madeUpFigure, madeUpResults } from './made-up.js';

const plots = suite('plots');

async function written(results = madeUpResults()): Promise<Map<string, string>> {
  const folder = await makeTempFolder('plots-');
  try {
    const files = await writePlots(results, join(folder.path, 'new'));
    const names = files.length === 0 ? [] : await readdir(join(folder.path, 'new'));
    return new Map(
      await Promise.all(
        names.map(async name => [name, await readFile(join(folder.path, 'new', name), 'utf8')] as const),
      ),
    );
  } finally {
    await folder.remove();
  }
}

plots('a file a curve, with title, axes and a legend', async () => {
  const files = await written();
  assert.equal([...files.keys()], ['bench-speed-by-size.svg']);
  const svg = files.get('bench-speed-by-size.svg') ?? '';
  assert.match(svg, /^<svg /);
  for (const text of ['Speed by size', 'size', 'calls a second', 'ours', 'floor', '1,000'])
    assert.match(svg, new RegExp(`>${text}</text>`), text);
});

plots('the same run gives the same bytes', async () => {
  assert.equal(await written(), await written());
});

plots('are well-formed: what is in quotes has no quote in it', async () => {
  for (const svg of (await written()).values()) {
    const tags = svg.replaceAll(/<style[^]*?<\/style>/g, '').match(/<[^>]*>/g) ?? [];
    assert.ok(tags.length > 20);
    for (const tag of tags) assert.match(tag, /^<\/?[\w:-]+(\s+[\w:-]+="[^"<]*")*\s*\/?>$/);
  }
});

plots('nothing has no place on a logarithmic axis, and breaks nothing', async () => {
  for (const svg of (await written()).values()) assert.not.match(svg, /NaN|Infinity/);
});

plots('without curves there is no folder either', async () => {
  assert.is((await written(madeUpResults({ figures: [madeUpFigure({ curves: [] })] }))).size, 0);
});

plots.run();
