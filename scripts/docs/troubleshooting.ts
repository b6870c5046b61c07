import { type FailureGuide, failureAreas } from '../../shared/domain/failure-guide.js';

const head = `# Troubleshooting by failure code

A request that fails has a \`failure.code\`: a stable word. It is in the log and on the timeline of the pipeline, in
\`GET /api/agents/{requestId}\`, on the command line and in the dead letter. \`links.help\` of the request leads to
\`GET /api/help/{code}\`, which says what is said here and takes no key.

A pipeline that gets no agent ends with one sentence that says what happened, what to do and where to read more:

> No agent: the agent's image could not be pulled: registry.example/azdo-agent:x was not found (ImagePullFailed). Ask the
> platform team to check the image's name and tag, and that the pool may pull from the registry.
> Request r-123: https://app.example/api/agents/r-123, help: https://app.example/api/help/ImagePullFailed

\`npm run docs\` writes this page from the guide in \`shared/domain/failure-guide\`.
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
