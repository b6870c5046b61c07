import type { Subject } from '../rules/rule.js';
import { dot } from './dot.js';
import { pictureOf } from './picture.js';

/** The README's picture of what is deployed. */
export const diagramFile = '.github/images/infrastructure.svg';

/** @returns SVG, the same for the same template. */
export async function drawDiagram(subject: Subject): Promise<string> {
  const { instance } = await import('@viz-js/viz');
  const { members, arrows } = pictureOf(subject);
  const svg = (await instance()).renderString(dot(members, arrows), { format: 'svg', engine: 'dot' });
  // Its comments name the version of the program, which tells nobody anything.
  return `${svg
    .replace(/<\?xml[^>]*>\s*<!DOCTYPE[^>]*>\s*/, '')
    .replace(/<!--[^]*?-->\s*/g, '')
    .trimEnd()}\n`;
}
