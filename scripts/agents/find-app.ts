import { findRunningApp, readFunctionKey } from '../running-app.js';
import { CommandError, exitCodes } from './command-error.js';

export interface App {
  /** Ends in `/api`. */
  readonly apiUrl: string;
  /** Never printed. */
  readonly key: string;
}

/**
 * The app that a command talks to: the one that is named, else the one that `npm start` runs from a data folder. The
 * key comes from the environment or a file: arguments are seen by everybody on the machine.
 *
 * @throws CommandError
 */
export async function findApp(
  { url, data }: { readonly url?: string | undefined; readonly data: string },
  env: Readonly<Record<string, string | undefined>>,
): Promise<App> {
  const named = url ?? (env['AGENTS_URL'] || undefined);
  if (named !== undefined) return { apiUrl: apiUrlOf(named), key: keyOf(env) };
  const running = await findRunningApp(data);
  const key = running && (await readFunctionKey(data));
  if (!running || key === undefined) {
    throw new CommandError(
      exitCodes.noApp,
      `No app runs from the folder ${data}: start it with \`npm start\`, or name one with --url or AGENTS_URL and put its key into AGENTS_KEY.`,
    );
  }
  return { apiUrl: `${running.url}/api`, key };
}

function apiUrlOf(named: string): string {
  const url = URL.canParse(named) ? new URL(named) : undefined;
  const isHttp = url?.protocol === 'https:' || url?.protocol === 'http:';
  if (!url || !isHttp || url.username !== '' || url.search !== '') {
    throw new CommandError(
      exitCodes.usage,
      'The URL of the app must be like https://my-app.azurewebsites.net, without a key.',
    );
  }
  const isLoopback = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
  if (url.protocol === 'http:' && !isLoopback) {
    throw new CommandError(
      exitCodes.usage,
      `The key must not travel in the clear: use https for ${url.host}.`,
    );
  }
  return `${url.origin}${url.pathname.replace(/(\/api)?\/*$/, '')}/api`;
}

function keyOf(env: Readonly<Record<string, string | undefined>>): string {
  const key = env['AGENTS_KEY']?.trim() ?? '';
  // What can't be a header would be quoted by the error of whoever sends it.
  if (/^[\u0021-\u007e]+$/.test(key)) return key;
  throw new CommandError(
    exitCodes.usage,
    'The function key of the app is missing: put it into the environment variable AGENTS_KEY.',
  );
}
