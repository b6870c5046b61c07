import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';

const names = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];

/** Said wherever one is missing. */
export const howToGetChromium =
  'No Chromium was found: install one (on Debian: apt-get install chromium), or set CHROME_PATH.';

/** A Chromium of this machine: CHROME_PATH, else what PATH has. None is ever downloaded. */
export function findChromium(): string | undefined {
  const named = process.env['CHROME_PATH'];
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter(Boolean);
  const candidates = named ? [named] : names.flatMap(name => folders.map(folder => join(folder, name)));
  return candidates.find(isProgram);
}

/** @throws a sentence where there is no Chromium. */
export async function openChromium(): Promise<Browser> {
  const executablePath = findChromium();
  if (executablePath === undefined) throw new Error(howToGetChromium);
  // Its sandbox does not let root in, as which containers run.
  const isRoot = process.getuid?.() === 0;
  return chromium.launch({ executablePath, args: isRoot ? ['--no-sandbox'] : [] });
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
