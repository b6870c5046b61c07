const passedOn = new Set([
  'PATH',
  'PATHEXT',
  'SYSTEMROOT',
  'COMSPEC',
  'SHELL',
  'HOME',
  'USERPROFILE',
  'USER',
  'LOGNAME',
  'LANG',
  'TZ',
  'TMPDIR',
  'TMP',
  'TEMP',
  'DOCKER_HOST',
  'NODE_EXTRA_CA_CERTS',
  'NODE_V8_COVERAGE',
  'NO_COLOR',
]);

/**
 * What a part inherits of our environment: the machine's ways, and none of the settings that somebody's shell holds
 * for the app, which would send a stack that was started for a test to a real service.
 */
export function inheritedEnvironment(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).filter(
      (entry): entry is [string, string] => entry[1] !== undefined && passedOn.has(entry[0].toUpperCase()),
    ),
  );
}
