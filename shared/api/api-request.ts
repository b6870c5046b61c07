/** The part of an HTTP request that the API reads; the request of `@azure/functions` is one. */
export interface ApiRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: { get(name: string): string | null };
  readonly query: { get(name: string): string | null };
  readonly params: Readonly<Record<string, string>>;
  arrayBuffer(): Promise<ArrayBuffer>;
}

/**
 * Where this caller reaches the API, without a trailing slash. A caller knows us by the name it used; a name that is
 * configured wins, because what stands before us may have rewritten it.
 */
export function baseUrlOf(request: Pick<ApiRequest, 'url'>, publicUrl: string): string {
  if (publicUrl.startsWith('http')) return publicUrl;
  return `${new URL(request.url).origin}${publicUrl}`;
}
