import { type CreateDocumentOptions, createDocument, type oas31 } from 'zod-openapi';
import './named-schemas.js';
import { agentPaths } from './operations/agents.js';
import { deadLetterPaths } from './operations/dead-letters.js';
import { operatorPaths } from './operations/operator.js';
import { servicePaths } from './operations/service.js';
import { methodNotAllowed } from './problems.js';
import { tellAsJsonSchema } from './tell-as-json-schema.js';
import { apiVersion, messageVersion } from './version.js';

const description = `
Fresh, isolated, single-job Azure DevOps agents on demand, on Azure Batch.

**Problems.** Whatever is refused is answered as \`application/problem+json\` (RFC 9457) with a stable \`code\`. A method that
a path does not know is answered \`405\` with the code \`MethodNotAllowed\`, the same as for every path.

**Versions.** This API follows Semantic Versioning (\`info.version\`). Without a new major version may come: routes, optional
parameters and fields of bodies, fields of answers, values of the enumerations of answers, problem codes for what was not
possible before. So read answers leniently: skip fields and events that you do not know. The sentences in \`title\`,
\`detail\` and \`message\` are for people and may change any time; \`failure.code\` is an open list.

**Messages.** Queue messages have a version of their own, the number ${messageVersion} in \`version\`. It rises only when senders
have to change; a message of a version that is not known is dead-lettered, never guessed at. Their JSON Schemas are
published beside this document.

**Limits.** \`maxLength\` counts UTF-16 code units here, as JavaScript, C# and Java do: a character beyond the Basic
Multilingual Plane counts twice.
`.trim();

const options: CreateDocumentOptions = { override: tellAsJsonSchema };

/** The whole HTTP API, made of the schemas that validate. */
export const makeOpenApiDocument = (): oas31.OpenAPIObject =>
  createDocument(
    {
      openapi: '3.1.0',
      info: {
        title: 'azdo-batch-agents',
        version: apiVersion,
        description,
        license: { name: 'MIT', identifier: 'MIT' },
      },
      servers: [{ url: '/api', description: 'The app that answered with this document.' }],
      tags: [
        { name: 'Agents', description: 'Ask for agents and follow them.' },
        { name: 'Dead letters', description: 'Requests that were given up.' },
        { name: 'Operation', description: 'For those who run the app.' },
        { name: 'Service', description: 'The app itself; takes no key.' },
      ],
      paths: { ...agentPaths, ...deadLetterPaths, ...operatorPaths, ...servicePaths },
      components: {
        responses: { MethodNotAllowed: methodNotAllowed },
        securitySchemes: {
          functionKeyHeader: {
            type: 'apiKey',
            in: 'header',
            name: 'x-functions-key',
            description: 'A function key or host key of the Functions app.',
          },
          functionKeyQuery: {
            type: 'apiKey',
            in: 'query',
            name: 'code',
            description: 'The same key; prefer the header, since URLs end up in logs.',
          },
        },
      },
    },
    options,
  );

/** The bytes that are served and committed: one text for one version of the code. */
export const openApiText = (): string => `${JSON.stringify(makeOpenApiDocument(), undefined, 2)}\n`;
