import type { Subject } from '../rules/rule.js';
import { dot } from './dot.js';
import { pictureOf } from './picture.js';

/** The README's picture of what is deployed. */
export const diagramFile = '.github/images/infrastructure.svg';

const drawn = new Map<string, string>();

/** @returns SVG, the same for the same template. */
export async function drawDiagram(subject: Subject): Promise<string> {
  const { members, arrows } = pictureOf(subject);
  const graph = dot(members, arrows);
  const known = drawn.get(graph) ?? (await draw(graph));
  // Most changes of a template are of nothing that it shows, and to draw takes longer than all other checks.
  drawn.set(graph, known);
  return known;
}

async function draw(graph: string): Promise<string> {
  const { instance } = await import('@viz-js/viz');
  const svg = (await instance()).renderString(graph, { format: 'svg', engine: 'dot' });
  // Its comments name the version of the program, which tells nobody anything.
  return `${svg
    .replace(/<\?xml[^>]*>\s*<!DOCTYPE[^>]*>\s*/, '')
    .replace(/<!--[^]*?-->\s*/g, '')
    .trimEnd()}\n`;
}
