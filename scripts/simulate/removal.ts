import type { Node } from './nodes.js';
import type { Chance } from './random.js';
import type { World } from './world.js';

/** Which nodes go first when there are too many: those without tasks, then those with few, or just any. */
export function inOrderOfRemoval(
  nodes: readonly Node[],
  removal: World['removal'],
  chance: Chance,
): readonly Node[] {
  if (removal === 'idle-first') {
    return nodes.toSorted(
      (one, other) =>
        one.tasks.length - other.tasks.length || Number(one.ready) - Number(other.ready) || one.id - other.id,
    );
  }
  return nodes
    .map(node => ({ node, order: chance.share() }))
    .toSorted((one, other) => one.order - other.order)
    .map(({ node }) => node);
}
