import { colours, flat, screenWidth, shorten, wrap } from '../output.js';
import type { Check, Report } from './examine.js';

const titles: Readonly<Record<Check['area'], string>> = {
  commandLine: 'Command line',
  settings: 'Settings',
  storage: 'Storage',
  batch: 'Azure Batch',
  devops: 'Azure DevOps',
  orchestrations: 'Orchestrations',
};
const areas: readonly Check['area'][] = [
  'commandLine',
  'settings',
  'storage',
  'batch',
  'devops',
  'orchestrations',
];
const statuses: readonly Check['status'][] = ['ok', 'warning', 'failed', 'skipped'];

/** Wide enough for the longest of them, and a gap. */
const statusWidth = 9;
const indent = ' '.repeat(2 + statusWidth);

/** What was tried, group by group. Each is marked by a word; colour only helps to find it. */
export function describe({ version, checks }: Report): string {
  const groups = areas.flatMap(area => {
    const some = checks.filter(check => check.area === area);
    return some.length === 0 ? [] : [colours.bold(titles[area]), ...some.map(linesOf), ''];
  });
  const numbers = statuses.flatMap(status => {
    const number = checks.filter(check => check.status === status).length;
    return number === 0 ? [] : [`${number} ${status}`];
  });
  const whose = version === null ? '' : ` The app is version ${version}.`;
  return [...groups, `${checks.length} checks: ${numbers.join(', ')}.${whose}`].join('\n');
}

const colourOf: Readonly<Record<Check['status'], (text: string) => string>> = {
  ok: colours.green,
  warning: colours.yellow,
  failed: colours.red,
  skipped: colours.dim,
};

function linesOf({ status, name, detail, remedy }: Check): string {
  const word = colourOf[status](status.padEnd(statusWidth));
  const width = screenWidth();
  if (remedy === null && (status === 'ok' || status === 'skipped')) {
    // Most are fine: one line each, so that those that are not are seen.
    const rest = flat(detail === '' ? name : `${name}: ${detail}`);
    return `  ${word}${width === undefined ? rest : shorten(rest, width - indent.length)}`;
  }
  return [
    `  ${word}${wrap(name, width, indent).trimStart()}`,
    ...(detail === '' ? [] : [colours.dim(wrap(detail, width, `${indent}  `))]),
    ...(remedy === null ? [] : [wrap(`→ ${remedy}`, width, `${indent}  `)]),
  ].join('\n');
}
