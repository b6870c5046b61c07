import { type FailureGuide, failureAreas } from '../domain/failure-guide.js';
import { escapeHtml } from './markup.js';

/** Everything that the pages look like: there is no other file, no script and no picture. */
export const style = `
:root { color-scheme: light dark; --line: #8886; --soft: #8881; --link: light-dark(#0a58ca, #8ab4f8); }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 46rem; padding: 1.5rem 1rem 3rem; font: 1rem/1.55 system-ui, sans-serif; overflow-wrap: anywhere; }
a { color: var(--link); }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 1rem 0; }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
code { font-family: ui-monospace, monospace; font-size: .95em; background: var(--soft); padding: .1em .3em; border-radius: .25em; }
dl { margin: 0; }
dt { font-weight: 600; margin-top: 1rem; }
dd { margin: .2rem 0 0; }
dd.do { border-left: .25rem solid var(--link); padding-left: .75rem; }
ul { list-style: none; margin: 0; padding: 0; }
li { border-top: 1px solid var(--line); padding: .5rem 0; }
li a { display: block; }
p.note { border-top: 1px solid var(--line); margin-top: 2rem; padding-top: 1rem; }
`;

/** One failure code, for whoever followed the link in a run's log. `known`: it has an entry of its own. */
export function entryPage(
  { code, title, cause, remedy, who, follows }: FailureGuide,
  known: boolean,
): string {
  const parts = [
    ['What happened', cause, ''],
    ['What to do', remedy, ' class="do"'],
    ['Who can do it', `The ${who}.`, ''],
    ['What the app does by itself', follows, ''],
  ] as const;
  return page(
    title,
    `<p><a href="../help">All failure codes</a></p>
<h1>${escapeHtml(title)}</h1>
<p><code>${escapeHtml(code)}</code>${known ? '' : ' is not a code that this version knows.'}</p>
<dl>
${parts.map(([name, text, attributes]) => `<dt>${name}</dt>\n<dd${attributes}>${escapeHtml(text)}</dd>`).join('\n')}
</dl>
<p class="note">The request itself, at its link, tells what exactly happened: its history and the message of its failure.</p>`,
  );
}

/** All codes, area by area. */
export function allPage(guides: readonly FailureGuide[]): string {
  const sections = failureAreas.map(area => {
    const items = guides
      .filter(guide => guide.area === area)
      .map(
        ({ code, title }) =>
          `<li><a href="help/${encodeURIComponent(code)}">${escapeHtml(title)}</a><code>${escapeHtml(code)}</code></li>`,
      );
    return `<h2>${escapeHtml(area)}</h2>\n<ul>\n${items.join('\n')}\n</ul>`;
  });
  return page('What can go wrong', `<h1>What can go wrong</h1>\n${sections.join('\n')}`);
}

const page = (title: string, body: string): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)} · azdo-batch-agents</title>
<style>${style}</style>
</head>
<body>
<main>
${body}
</main>
</body>
</html>
`;
