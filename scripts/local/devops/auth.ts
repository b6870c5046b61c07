import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { accessDenied, planSecurity, unauthorized } from './errors.js';
import { inMs, isPast, type State } from './state.js';

const digest = (token: string): string => createHash('sha256').update(token).digest('hex');

const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A bearer token that looks like the real ones (three parts of base64url), but says nothing and is signed by chance. */
function jwtShaped(claims: Readonly<Record<string, unknown>>): string {
  const header = base64url({ typ: 'JWT', alg: 'RS256' });
  return `${header}.${base64url(claims)}.${randomBytes(64).toString('base64url')}`;
}

/** A published figure for job tokens; others say "as long as the job", which is shorter. */
const planTokenMs = 48 * 60 * 60 * 1000;
const identityTokenMs = 60 * 60 * 1000;

/**
 * Who may do what: the PAT and identity tokens may do all; a job's token may touch its own plan and nothing else.
 * Of tokens only digests are kept.
 */
export class Auth {
  readonly #state: State;
  readonly #patDigest: Buffer;

  constructor(state: State, pat: string) {
    this.#state = state;
    this.#patDigest = Buffer.from(digest(pat));
  }

  /** A new job token for a plan; or lets a given one count as such. */
  issuePlanToken(planId: string, given?: string): string {
    const token =
      given ??
      jwtShaped({
        nameid: 'build-service',
        scp: 'app_token',
        plan: planId,
        jti: randomBytes(8).toString('hex'),
      });
    this.#state.tokens.put(digest(token), { kind: 'plan', planId, expiresAt: inMs(planTokenMs) });
    return token;
  }

  /** What a managed identity gets from its endpoint. */
  issueIdentityToken(): { token: string; expiresAt: Date } {
    const expiresAt = inMs(identityTokenMs);
    const token = jwtShaped({
      aud: '499b84ac-1321-427f-aa17-267ca6975798',
      jti: randomBytes(8).toString('hex'),
    });
    this.#state.tokens.put(digest(token), { kind: 'identity', expiresAt });
    return { token, expiresAt: new Date(expiresAt) };
  }

  /** Hook of the organisation's own routes. */
  readonly requireOrganisation = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const caller = this.#caller(request);
    if (caller === 'nobody') return signIn(reply);
    if (caller === 'refused') throw unauthorized();
    if (caller.planId !== undefined) throw accessDenied();
  };

  /** Hook of a plan's routes (with `:planId`). */
  readonly requirePlan = async (
    request: FastifyRequest<{ Params: { planId: string } }>,
    reply: FastifyReply,
  ): Promise<void> => {
    const caller = this.#caller(request);
    if (caller === 'nobody') return signIn(reply);
    if (caller === 'refused') throw unauthorized();
    const { planId } = request.params;
    if (caller.planId !== undefined && caller.planId !== planId.toLowerCase()) throw planSecurity(planId);
  };

  #caller(request: FastifyRequest): 'nobody' | 'refused' | { planId: string | undefined } {
    const [scheme = '', credentials = ''] = (request.headers.authorization ?? '').split(' ');
    if (scheme.toLowerCase() === 'basic') {
      const decoded = Buffer.from(credentials, 'base64').toString('utf8');
      const password = decoded.slice(decoded.indexOf(':') + 1);
      return timingSafeEqual(Buffer.from(digest(password)), this.#patDigest)
        ? { planId: undefined }
        : 'nobody';
    }
    if (scheme.toLowerCase() !== 'bearer') return 'nobody';
    const token = this.#state.tokens.get(digest(credentials));
    if (!token || isPast(token.expiresAt)) return 'refused';
    return { planId: token.planId };
  }
}

export const signInPage =
  '<!DOCTYPE html><html><head><title>Azure DevOps Services | Sign In</title></head><body></body></html>';

/** The service does not say 401 to a wrong PAT: it shows a web page to sign in, with a status that means success. */
async function signIn(reply: FastifyReply): Promise<void> {
  await reply.code(203).type('text/html; charset=utf-8').send(signInPage);
}

/**
 * The PAT that the stand-in accepts: the given one, else the one in the data folder, else a new one that is
 * written there. The file is readable by its owner alone.
 */
export function readOrMakePat(dataDir: string, given: string | undefined): string {
  if (given !== undefined && given !== '') return given;
  const file = path.join(dataDir, 'pat');
  if (existsSync(file)) {
    const pat = readFileSync(file, 'utf8').trim();
    if (pat === '') throw new Error(`${file} is empty. Write a token into it, or remove it.`);
    chmodSync(file, 0o600);
    return pat;
  }
  const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';
  const pat = [...randomBytes(52)].map(byte => alphabet[byte % alphabet.length]).join('');
  writeFileSync(file, `${pat}\n`, { mode: 0o600 });
  return pat;
}
