import { type FailureGuide, failureAreas } from '../../shared/domain/failure-guide.js';
import { sampleEnd, sampleRun } from './sample-run.js';

const head = `# Troubleshooting by failure code

A request that fails has a \`failure.code\`: a stable word. It is in the log and on the timeline of the pipeline, in
\`GET /api/agents/{requestId}\`, on the command line and in the dead letter. \`links.help\` of the request leads to
\`GET /api/help/{code}\`, which says what is said here and takes no key.

\`npm run docs\` writes this page from the guide in \`shared/domain/failure-guide\`.

## What the log of a run tells

While a pipeline waits, its log tells how far its agent is: each change at once, and about every 40 s what is waited for.

\`\`\`text
${sampleRun.join('\n')}
\`\`\`

A pipeline that gets no agent ends with one sentence that says what happened, what to do and where to read more. It is the
error on the timeline of the run as well:

\`\`\`text
${sampleEnd}
\`\`\`

The link to the request takes the function key; the link to the help takes none.

## All failure codes
`;

/** The page of all failure codes, with a heading each, so that it can be linked to. */
export function troubleshootingPage(guides: readonly FailureGuide[]): string {
  const areas = failureAreas.map(area => {
    const ofArea = guides.filter(guide => guide.area === area);
    return [`## ${area}\n`, ...ofArea.map(section)].join('\n');
  });
  return [head, failureTable(guides), ...areas].join('\n');
}

/** All codes at a glance. */
const failureTable = (guides: readonly FailureGuide[]): string =>
  [
    '| `failure.code` | what happened | who can mend it |',
    '|---|---|---|',
    ...guides.map(
      ({ code, title, who }) => `| [\`${code}\`](#${code.toLowerCase()}) | ${cell(title)} | ${who} |`,
    ),
    '',
  ].join('\n');

const section = ({ code, title, cause, remedy, who, follows }: FailureGuide): string => `### ${code}

**${title}.** ${cause}

- **What to do:** ${remedy}
- **Who can do it:** the ${who}.
- **What the app does by itself:** ${follows}
`;

const cell = (text: string): string => text.replaceAll('|', String.raw`\|`);
