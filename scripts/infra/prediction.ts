import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import * as z from 'zod';
import type { BicepSession } from './compiler/bicep-session.js';
import type { Subject } from './rules/rule.js';
import type { Sample } from './samples.js';
import { mainFile } from './sources.js';
import { resolve } from './template/evaluate.js';
import { text } from './template/json.js';
import { sampleScope, surroundings } from './template/surroundings.js';

const predicted = z.object({
  predictedResources: z.array(
    z.looseObject({ id: z.string(), type: z.string(), condition: z.unknown().optional() }),
  ),
});

/**
 * Whether the compiler's own prediction of a deployment has the resources that ours has: all that is asserted here
 * rests on ours. Secrets have no value in the prediction, so what depends on one is not compared.
 *
 * @returns what differs.
 */
export async function comparePrediction(
  root: string,
  bicep: BicepSession,
  sample: Sample,
  subject: Subject,
): Promise<readonly string[]> {
  const { folder } = bicep;
  // The compiler remembers what it has read under a name.
  const file = `sample-${createHash('sha256').update(sample.name).digest('hex').slice(0, 8)}`;
  const using = relative(folder, join(root, mainFile)).split(sep).join('/');
  const lines = Object.keys(sample.parameters).map(
    name => `param ${name} = loadJsonContent('${file}.json').${name}`,
  );
  await writeFile(join(folder, `${file}.json`), JSON.stringify(sample.parameters));
  await writeFile(join(folder, `${file}.bicepparam`), `using '${using}'\n${lines.join('\n')}\n`);
  const snapshot = await bicep.snapshot(join(folder, `${file}.bicepparam`), sampleScope);
  const { predictedResources } = predicted.parse(JSON.parse(snapshot));
  const theirs = new Map(predictedResources.map(each => [comparable(each.id), each]));
  const ours = new Set(subject.resources.map(({ id }) => comparable(id)));
  return [
    ...[...theirs]
      .filter(([id, { condition }]) => !ours.has(id) && condition === undefined)
      .map(([, { id }]) => `Bicep predicts ${id}, and this check does not`),
    ...[...ours].filter(id => !theirs.has(id)).map(id => `this check predicts ${id}, and Bicep does not`),
  ];
}

/** Without what Azure alone can compute: unique texts and GUIDs. */
const comparable = (id: string): string =>
  // The prediction leaves the names of the cloud open.
  text(resolve(id, { specials: surroundings, lambda: new Map() }))
    .toLowerCase()
    .replace(/[a-z2-7]{13}(?=\/|$)/g, 'UNIQUE')
    .replace(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'GUID');
