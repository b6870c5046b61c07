/** One kind of agent, as the operator configured it. */
export interface Profile {
  readonly name: string;
  /** Azure DevOps agent pool that the agents register in. */
  readonly devOpsPool: string;
  /** Azure Batch pool whose nodes run them. */
  readonly batchPool: string;
  /** Image without registry, e.g. `azdo-agent:ubuntu-24.04-azdo`. */
  readonly image: string;
  readonly os: 'linux' | 'windows';
  /** Task slots that one agent takes of a node. */
  readonly slots: number;
  /** At most so many agents at once; further requests stay accepted until one ends. */
  readonly maxAlive: number;
  /** At most so many requests that wait; more are refused with 429. */
  readonly maxWaiting: number;
  /** Provisioning attempts before a request is dead-lettered. */
  readonly attempts: number;
  /** Give up provisioning after this long unless the request says otherwise. */
  readonly timeoutMinutes: number;
  /** An online agent that got no job for this long is taken back. */
  readonly idleMinutes: number;
  /** How the agent proves itself to Azure DevOps: a token on its task, or the identity of its node. */
  readonly agentAuth: 'token' | 'identity';
}

/** `{registry}/repository:tag`, with the tag replaced where one is given. */
export function imageName(registry: string | undefined, image: string, tag?: string): string {
  const bare = tag === undefined ? image : `${withoutTag(image)}:${tag}`;
  return registry === undefined ? bare : `${registry}/${bare}`;
}

/** A colon before the last slash belongs to a registry's port, not to a tag. */
function withoutTag(image: string): string {
  const colon = image.lastIndexOf(':');
  return colon > image.lastIndexOf('/') ? image.slice(0, colon) : image;
}

/** What the article's body maps to. */
export interface ArticleImage {
  readonly profile: string;
  readonly tag: string;
}

/**
 * The image that the article's two fields ask for. As in the article, a type that is not in the table, or none,
 * is the default one.
 */
export function articleImage(
  table: Readonly<Record<string, ArticleImage>>,
  osType: string | undefined,
  buildType: string | undefined,
): ArticleImage | undefined {
  const found =
    (osType !== undefined && Object.hasOwn(table, osType) ? table[osType] : undefined) ?? table['default'];
  if (!found || !buildType) return found;
  return { profile: found.profile, tag: `${found.tag}-${buildType}` };
}
