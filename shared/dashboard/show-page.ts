import type { ApiResponse } from '../api/problem.js';

/** The page as it was built: one file, and the hashes of the one style and the one script in it. */
export interface BuiltPage {
  readonly html: string;
  /** E.g. `sha256-…`. */
  readonly scriptHash: string;
  readonly styleHash: string;
}

/** The operators' page. It holds no data: what it shows it asks for, under the same lock. */
export function showPage({ html, scriptHash, styleHash }: BuiltPage): ApiResponse {
  return {
    status: 200,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': [
        "default-src 'none'",
        `script-src '${scriptHash}'`,
        `style-src '${styleHash}'`,
        "connect-src 'self'",
        // Its own icon.
        'img-src data:',
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
      ].join('; '),
      ...closedHeaders,
    },
    body: html,
  };
}

/** The address of the page may hold its key, so nobody else is told it and nothing keeps it. */
export const closedHeaders = {
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
} as const;
