import * as z from 'zod';
import { AgentExit, exitCode } from './exit.js';

/** Gives the value of the Authorization header; asked anew for each call, since identity tokens end. */
export type Credentials = () => Promise<string>;

export const personalAccessToken =
  (token: string): Credentials =>
  async () =>
    `Basic ${Buffer.from(`:${token}`).toString('base64')}`;

export const bearerToken =
  (token: string): Credentials =>
  async () =>
    `Bearer ${token}`;

const azureDevOps = '499b84ac-1321-427f-aa17-267ca6975798';
const IdentityToken = z.object({ access_token: z.string().min(1), expires_on: z.coerce.number() });
const renewBeforeEndMs = 5 * 60_000;

/**
 * Tokens of the machine's managed identity, from its metadata service.
 *
 * @throws {AgentExit} when there is no such service or it refuses.
 */
export function managedIdentity(endpoint: string): Credentials {
  let current: { header: string; endsAt: number } | undefined;
  return async () => {
    if (current && Date.now() < current.endsAt - renewBeforeEndMs) return current.header;
    const url = `${endpoint}?api-version=2018-02-01&resource=${azureDevOps}`;
    let answer: unknown;
    try {
      const response = await fetch(url, {
        headers: { Metadata: 'true' },
        signal: AbortSignal.timeout(10_000),
      });
      answer = await response.json();
    } catch {
      answer = undefined;
    }
    const parsed = IdentityToken.safeParse(answer);
    if (!parsed.success) {
      throw new AgentExit(
        exitCode.tokenRefused,
        'There is no AZDO_TOKEN, and the managed identity of this machine gave no token for Azure DevOps.',
      );
    }
    current = {
      header: `Bearer ${parsed.data.access_token}`,
      endsAt: parsed.data.expires_on * 1000,
    };
    return current.header;
  };
}
