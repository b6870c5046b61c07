import type { Config } from '../config.js';
import { articleImage, imageName, type Profile } from '../domain/profile.js';
import { type AgentRequest, acceptedRequest } from '../domain/request.js';
import type { FieldError } from './field-error.js';
import type { PipelineCaller } from './pipeline-headers.js';
import type { Parsed } from './read-json.js';
import type { RequestBody } from './request-body.js';

/** What kind of agent a body asks for. */
export interface Wanted {
  readonly profile: Profile;
  /** Full image name. */
  readonly image: string;
}

export const usesArticleBody = ({ AgentOSType, AgentBuildType }: RequestBody): boolean =>
  (AgentOSType ?? undefined) !== undefined || (AgentBuildType ?? undefined) !== undefined;

/** Finds the profile and image; images come from configuration only, never from a caller. */
export function readWanted(config: Config, body: RequestBody, articleRoute: boolean): Parsed<Wanted> {
  const article = usesArticleBody(body);
  if (body.profile !== undefined && article) {
    return refuse('profile', 'can not be combined with AgentOSType or AgentBuildType');
  }
  const mapped =
    article || (articleRoute && body.profile === undefined)
      ? articleImage(config.articleImages, body.AgentOSType ?? undefined, body.AgentBuildType ?? undefined)
      : undefined;
  const [first] = config.profiles.values();
  // A mapping to a profile that is not configured (Windows only, say) is no reason to give another system instead.
  const name = mapped?.profile ?? body.profile ?? first?.name ?? '';
  const profile = config.profiles.get(name);
  if (!profile) {
    const known = [...config.profiles.keys()].join(', ');
    return mapped
      ? refuse('AgentOSType', `maps to profile "${name}", which is not configured; there are: ${known}`)
      : refuse('profile', `"${name}" is not configured; there are: ${known}`);
  }
  return {
    ok: true,
    value: { profile, image: imageName(config.registry.server, profile.image, mapped?.tag) },
  };
}

const refuse = (name: string, detail: string): Parsed<never> => {
  const errors: readonly FieldError[] = [{ in: 'body', name, detail }];
  return { ok: false, errors };
};

/** A request as it is first written. */
export function newRequest(
  requestId: string,
  body: RequestBody,
  { profile, image }: Wanted,
  at: string,
  from: {
    readonly caller?: PipelineCaller | undefined;
    readonly sealedToken?: string | undefined;
    readonly replyQueue?: string | undefined;
    readonly detail: string;
    readonly traceparent?: string | undefined;
  },
): AgentRequest {
  return {
    ...acceptedRequest(requestId, at, from.detail),
    profile: profile.name,
    devOpsPool: profile.devOpsPool,
    image,
    timeoutMinutes: body.timeoutMinutes ?? profile.timeoutMinutes,
    capabilities: body.capabilities ?? {},
    tags: body.tags ?? {},
    pipeline: from.caller?.context,
    callback: from.sealedToken === undefined ? undefined : { sealedToken: from.sealedToken },
    replyQueue: from.replyQueue,
    traceparent: from.traceparent,
  };
}
