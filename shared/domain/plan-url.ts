const loopback = new Set(['localhost', '127.0.0.1', '[::1]']);

/** Plain http is acceptable where nothing leaves the machine, and nowhere else. */
export const isLoopbackHost = (hostname: string): boolean => loopback.has(hostname.toLowerCase());

/**
 * Says what is wrong with a PlanUrl: a job token is sent to it, so it may only name a host that the operator allows.
 *
 * @param allowedHosts `host` or `host:port`, lower case.
 * @returns a sentence, or undefined if nothing is wrong.
 */
export function planUrlProblem(planUrl: string, allowedHosts: readonly string[]): string | undefined {
  // Parsers disagree on these, and the one that sends the token is not the one that judges here.
  if (!/^[\x21-\x7e]*$/.test(planUrl) || /[\\<>^`{|}"]/.test(planUrl)) {
    return 'must hold nothing but the characters of a URL';
  }
  const url = parseUrl(planUrl);
  if (!url) return 'must be an absolute URL';
  if (url.username || url.password) return 'must not carry a user name or password';
  if (url.search || url.hash) return 'must not carry a query or a fragment';
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopbackHost(url.hostname))) {
    return 'must use https';
  }
  if (!allowedHosts.includes(url.host.toLowerCase())) {
    return `names the host ${url.host}, which is not among AllowedPlanHosts`;
  }
  return undefined;
}

/** The one spelling of a PlanUrl that has no problem, ending in a slash: what was judged is what is called. */
export function canonicalPlanUrl(planUrl: string): string {
  const { href } = new URL(planUrl);
  return href.endsWith('/') ? href : `${href}/`;
}

function parseUrl(text: string): URL | null {
  try {
    return new URL(text);
  } catch {
    return null;
  }
}
