import type { FastifyInstance } from 'fastify';
import type { Auth } from './auth.js';
import { ControlError } from './errors.js';

/** The Entra resource of Azure DevOps. */
const azureDevOps = '499b84ac-1321-427f-aa17-267ca6975798';

/**
 * What stands in for the metadata service of a virtual machine: it gives tokens of the machine's managed identity
 * to whoever can reach it. Only a stand-in that was started with `--allow-identity` has it.
 */
export function addIdentityRoute(server: FastifyInstance, auth: Auth): void {
  server.get<{ Querystring: { resource?: string } }>('/_local/identity/token', async request => {
    if (request.headers.metadata !== 'true') throw new ControlError(400, 'Send the header "Metadata: true".');
    const resource = request.query.resource ?? '';
    if (!resource.startsWith(azureDevOps)) {
      throw new ControlError(400, `The resource "${resource}" is not Azure DevOps (${azureDevOps}).`);
    }
    const { token, expiresAt } = auth.issueIdentityToken();
    return {
      access_token: token,
      expires_on: String(Math.floor(expiresAt.getTime() / 1000)),
      resource,
      token_type: 'Bearer',
    };
  });
}
