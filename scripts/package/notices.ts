import { groupBy } from '../group-by.js';
import { idOf } from './bundled-packages.js';
import type { Licence } from './licences.js';

const rule = '-'.repeat(80);

/** The text that has to go with the app: whose code is in it, and under which terms. A text of several stands once. */
export function noticesText(licences: readonly Licence[]): string {
  const missing = licences.filter(({ texts }) => texts.length === 0);
  const byText = groupBy(
    licences.flatMap(licence => licence.texts.map(text => ({ text, licence }))),
    ({ text }) => text,
  );
  const sections = [...byText].map(([text, of]) => [
    ...of.map(({ licence }) => described(licence)),
    '',
    text,
    '',
    rule,
    '',
  ]);
  return [
    'The app contains code of these packages. Some comments on copyright of single files are in *.LEGAL.txt beside them.',
    '',
    rule,
    '',
    ...sections.flat(),
    ...(missing.length === 0
      ? []
      : [
          'These declare their licence, and have no text of it among their files:',
          '',
          ...missing.map(described),
          '',
        ]),
  ].join('\n');
}

const described = ({ package: each }: Licence): string => `${idOf(each)} (${each.license})`;
