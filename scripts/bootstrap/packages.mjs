import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const readPackages = file => {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages;
  } catch {
    return undefined;
  }
};

/**
 * Says in words how the installed packages differ from package-lock.json; undefined when they do not.
 *
 * npm writes node_modules/.package-lock.json as the last step of an install, so its content tells both what is
 * there and that the install was not cut short. Dates and digests would tell less: a checkout touches the
 * former, and an install that somebody made by hand has none of our digests.
 *
 * @param {string} root folder of package-lock.json
 * @returns {string | undefined}
 */
export function describeMismatch(root) {
  const wanted = readPackages(join(root, 'package-lock.json'));
  if (!wanted) throw new Error('package-lock.json is missing or damaged.');
  const installed = readPackages(join(root, 'node_modules', '.package-lock.json'));
  if (!installed) return 'there are none yet';
  for (const [path, { version, integrity, optional }] of Object.entries(wanted)) {
    if (path === '') continue;
    const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
    const found = installed[path];
    // Optional packages are there only on the platforms that they are for.
    if (!found && optional) continue;
    if (!found) return `${name} is missing`;
    if (found.version !== version || found.integrity !== integrity) return `${name} is not ${version}`;
  }
  // A package too many does no harm, and may be what somebody is trying out.
  return undefined;
}
