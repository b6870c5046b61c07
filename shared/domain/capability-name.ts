/**
 * Capabilities become environment variables of the agent's container. Names that speak in our name or the agent's, or
 * that change which code runs before the agent has put its token away, are not for callers.
 */
const reservedPrefixes = [
  'AZDO_',
  'AZ_BATCH_',
  'VSTS_',
  'VSO_',
  'SYSTEM_',
  'LD_',
  'BASH_',
  'CORECLR_',
  'COMPLUS_',
];

const reservedNames: ReadonlySet<string> = new Set(
  [
    'PATH PATHEXT HOME USER SHELL PWD ENV IFS TMPDIR TEMP TMP COMSPEC SYSTEMROOT WINDIR PSMODULEPATH',
    'HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY SSL_CERT_FILE SSL_CERT_DIR',
    'NODE_OPTIONS NODE_PATH NODE_EXTRA_CA_CERTS NODE_TLS_REJECT_UNAUTHORIZED',
    'DOTNET_STARTUP_HOOKS DOTNET_ADDITIONAL_DEPS DOTNET_SHARED_STORE DOTNET_ROOT',
    'PYTHONPATH PYTHONHOME PYTHONSTARTUP',
    // No environment has these, but objects that the names pass through do.
    '__PROTO__ CONSTRUCTOR PROTOTYPE',
  ].flatMap(names => names.split(' ')),
);

/** Environment variables differ in case on one system and not on another: here they never do. */
export function isReservedCapability(name: string): boolean {
  const upper = name.toUpperCase();
  return reservedNames.has(upper) || reservedPrefixes.some(prefix => upper.startsWith(prefix));
}
