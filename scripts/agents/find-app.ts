import { findRunningApp, noteProblem, readFunctionKey } from '../running-app.js';
import { AppAway, CommandError, exitCodes } from './command-error.js';

export interface App {
  /** Ends in `/api`. */
  readonly apiUrl: string;
  /** Never printed. */
  readonly key: string;
  /** Where the key is to be mended. */
  readonly keyFrom: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

export interface Named {
  readonly url: string | undefined;
  /** Without a URL: the app that `npm start` runs from this folder. */
  readonly data: string;
  /** What the URL was given by. */
  readonly from: '--url' | 'AGENTS_URL';
}

/**
 * The app that a command talks to: the one that is named, else the one that `npm start` runs from a data folder. The
 * key comes from the environment or a file: arguments are seen by everybody on the machine.
 *
 * @throws CommandError
 */
export async function findApp({ url, data }: Named, env: Environment): Promise<App> {
  const keyFrom = keyPlace({ url, data });
  if (url !== undefined) return { apiUrl: apiUrlOf(url), key: keyOf(env), keyFrom };
  return { apiUrl: await runningApiUrl(data), key: await keyIn(data), keyFrom };
}

/** Where the key of an app is looked for. */
export const keyPlace = ({ url, data }: Pick<Named, 'url' | 'data'>): string =>
  url === undefined ? keysFileIn(data) : 'AGENTS_KEY';

const keysFileIn = (data: string): string => `${data}/host/keys.json`;

/** Addresses are copied from links and from what `npm start` prints, and then end in one of our routes. */
const routes = 'agents|ProvideAzDOAgent|deadletters|pools|overview|events|placeholders|dashboard|health|help';
const afterTheApp = new RegExp(`(/api(/(${routes})(/.*)?)?)?/*$`);

/** What can't be a header would be quoted by the error of whoever sends it. */
const isKey = (key: string): boolean => /^[\u0021-\u007e]+$/.test(key);

/** @throws CommandError unless the key may be sent there. */
export function apiUrlOf(named: string): string {
  const url = URL.canParse(named) ? new URL(named) : undefined;
  const isHttp = url?.protocol === 'https:' || url?.protocol === 'http:';
  if (!url || !isHttp || url.username !== '' || url.search !== '') {
    throw new CommandError(
      exitCodes.usage,
      'This is no URL of an app',
      'it must be like https://my-app.azurewebsites.net, without a key.',
    );
  }
  const isLoopback = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
  if (url.protocol === 'http:' && !isLoopback) {
    throw new CommandError(
      exitCodes.usage,
      'The key must not travel in the clear',
      `use https for ${url.host}.`,
    );
  }
  return `${url.origin}${url.pathname.replace(afterTheApp, '')}/api`;
}

/** @throws CommandError unless the environment has the key. */
export function keyOf(env: Environment): string {
  const key = env['AGENTS_KEY']?.trim() ?? '';
  if (isKey(key)) return key;
  throw new CommandError(
    exitCodes.usage,
    'The function key of the app is missing',
    'put it into the environment variable AGENTS_KEY.',
  );
}

/** @throws CommandError unless an app runs from the folder. */
export async function runningApiUrl(data: string): Promise<string> {
  const running = await findRunningApp(data);
  if (running) return `${running.url}/api`;
  const problem = await noteProblem(data);
  if (problem !== undefined) {
    throw new AppAway(problem, 'end `npm start` if it runs, and start it anew, which writes another.');
  }
  throw new AppAway(
    `No app runs from the folder ${data}`,
    'start it with `npm start`, or name one with --url or AGENTS_URL and put its key into AGENTS_KEY.',
  );
}

/** @throws CommandError unless the folder has the key of its app. */
export async function keyIn(data: string): Promise<string> {
  const key = await readFunctionKey(data);
  if (key !== undefined && isKey(key)) return key;
  throw new AppAway(
    `${keysFileIn(data)} is missing, or holds no functionKeys.default`,
    'remove it and run `npm start` anew, which makes new keys.',
  );
}
