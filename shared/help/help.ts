import { createHash } from 'node:crypto';
import type { Help, HelpEntry } from '../answers/help.js';
import type { ApiRequest } from '../api/api-request.js';
import type { ApiResponse } from '../api/problem.js';
import { shorten } from '../domain/failure.js';
import { failureGuides, guideTo, isFailureCode } from '../domain/failure-guide.js';
import { allPage, entryPage, style } from './page.js';

type HelpCall = Pick<ApiRequest, 'headers' | 'params'>;

/** The texts change with the app only. */
const keptSeconds = 3_600;
/** Longer than any code; what is longer is not worth showing whole. */
const longestCode = 64;

/** `GET /api/help`: every failure code, for a person or for a program. */
export const showAllHelp = (call: HelpCall): ApiResponse => {
  const guides = failureGuides();
  return wantsJson(call) ? asJson(200, { failures: [...guides] }) : asPage(200, allPage(guides));
};

/** `GET /api/help/{code}`: one of them. The code is whatever somebody typed. */
export const showHelp = (call: HelpCall): ApiResponse => {
  const asked = call.params['code'] ?? '';
  const known = isFailureCode(asked);
  const guide = guideTo(known ? asked : shorten(asked, longestCode));
  const status = known ? 200 : 404;
  return wantsJson(call) ? asJson(status, guide) : asPage(status, entryPage(guide, known));
};

/** People's browsers ask for `text/html`; who names JSON and not HTML is a program. */
function wantsJson({ headers }: HelpCall): boolean {
  const accept = headers.get('accept')?.toLowerCase() ?? '';
  return /\bapplication\/(?:[\w.-]+\+)?json\b/.test(accept) && !accept.includes('text/html');
}

const headersOf = (status: number, contentType: string): Readonly<Record<string, string>> => ({
  'content-type': contentType,
  'cache-control': status === 200 ? `public, max-age=${keptSeconds}` : 'no-store',
  vary: 'accept',
  'x-content-type-options': 'nosniff',
});

const asJson = (status: number, value: Help | HelpEntry): ApiResponse => ({
  status,
  headers: headersOf(status, 'application/json; charset=utf-8'),
  body: JSON.stringify(value),
});

const asPage = (status: number, body: string): ApiResponse => ({
  status,
  headers: {
    ...headersOf(status, 'text/html; charset=utf-8'),
    'content-security-policy': policy,
    'referrer-policy': 'no-referrer',
  },
  body,
});

/** Nothing may be loaded or run, whatever got into a page; its one style is known by its hash. */
const policy = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');
