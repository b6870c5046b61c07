import { existsSync } from 'node:fs';
import { access, constants, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';

/** Another version writes other JSON, so there is one for everybody. */
export const bicepVersion = '0.49.2';

/** Nothing is known to be wrong, and nothing can be compiled here. */
export interface NoCompiler {
  readonly kind: 'none';
  readonly why: string;
  readonly remedy: string;
}

export type Found = { readonly kind: 'found'; readonly path: string } | NoCompiler;

interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where a compiler that was restored is kept. */
  readonly cache: string;
  readonly signal?: AbortSignal | undefined;
}

const program = process.platform === 'win32' ? 'bicep.exe' : 'bicep';

const remedy =
  'Install a .NET SDK (it brings the compiler from NuGet), or set BICEP_PATH to the Bicep compiler ' +
  `${bicepVersion}.`;

/** The Bicep compiler: one that is installed in this very version, else the one that NuGet has. */
export async function findCompiler({ env, cache, signal }: Surroundings): Promise<Found> {
  const named = env['BICEP_PATH'];
  if (named) {
    const version = await versionOf(named, cache);
    return version === bicepVersion
      ? { kind: 'found', path: named }
      : { kind: 'none', why: `BICEP_PATH is ${named}, which ${describe(version)}`, remedy };
  }
  const restored = join(cache, bicepVersion, program);
  if (existsSync(restored)) return { kind: 'found', path: restored };
  // What NuGet has brought for another clone needs no network.
  const packages = env['NUGET_PACKAGES'] || join(homedir(), '.nuget', 'packages');
  const brought = join(packages, packageName()?.toLowerCase() ?? '', bicepVersion, 'tools', program);
  for (const installed of [brought, program, join(homedir(), '.azure', 'bin', program)]) {
    if ((await versionOf(installed, cache)) === bicepVersion) return { kind: 'found', path: installed };
  }
  return restore(cache, restored, signal);
}

const describe = (version: string | undefined): string =>
  version === undefined
    ? 'is no Bicep compiler that runs here'
    : `is version ${version}, not ${bicepVersion}`;

async function versionOf(path: string, cache: string): Promise<string | undefined> {
  const { stdout, failed } = await execa(path, ['--version'], {
    reject: false,
    env: compilerEnvironment(cache),
  });
  return failed ? undefined : /version (\S+)/.exec(stdout)?.[1];
}

/**
 * It is a .NET program: it would want the ICU libraries, which slim machines lack, and it unpacks itself, by itself into
 * the home of whoever runs it.
 */
export const compilerEnvironment = (cache: string): Readonly<Record<string, string>> => ({
  DOTNET_SYSTEM_GLOBALIZATION_INVARIANT: '1',
  DOTNET_BUNDLE_EXTRACT_BASE_DIR: join(cache, 'unpacked'),
});

/** .NET leaves something in the folder of temporary files: here in one that is removed. */
export const temporaryFiles = (folder: string): Readonly<Record<string, string>> => ({
  TMPDIR: folder,
  TEMP: folder,
  TMP: folder,
});

/** The package for this machine, or undefined if there is none. */
function packageName(): string | undefined {
  const arch = process.arch === 'x64' || process.arch === 'arm64' ? process.arch : undefined;
  if (arch === undefined) return undefined;
  if (process.platform === 'win32') return `Azure.Bicep.CommandLine.win-${arch}`;
  if (process.platform === 'darwin') return `Azure.Bicep.CommandLine.osx-${arch}`;
  if (process.platform !== 'linux') return undefined;
  // Alpine and its like say nothing about glibc.
  const { header } = process.report.getReport() as {
    readonly header?: { readonly glibcVersionRuntime?: string };
  };
  return `Azure.Bicep.CommandLine.linux-${header?.glibcVersionRuntime === undefined ? 'musl-' : ''}${arch}`;
}

/** A project that needs nothing but this package, for whichever SDK is there. */
const project = (name: string): string => `<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup><TargetFramework>net$(BundledNETCoreAppTargetFrameworkVersion)</TargetFramework></PropertyGroup>
  <ItemGroup><PackageDownload Include="${name}" Version="[${bicepVersion}]" /></ItemGroup>
</Project>
`;

/** .NET wants a home that it can write to, which containers and build agents often lack. */
const homeOf = (folder: string): Promise<Readonly<Record<string, string>>> =>
  access(homedir(), constants.W_OK).then(
    () => ({}),
    () => ({ DOTNET_CLI_HOME: folder }),
  );

async function restore(cache: string, target: string, signal: AbortSignal | undefined): Promise<Found> {
  const name = packageName();
  if (name === undefined) {
    return {
      kind: 'none',
      why: `there is no Bicep compiler for ${process.platform}-${process.arch}`,
      remedy,
    };
  }
  await mkdir(cache, { recursive: true });
  // Two may restore at once: each into its own folder, and the first to end gives its result the name.
  const folder = await mkdtemp(join(cache, 'restore-'));
  try {
    await writeFile(join(folder, 'bicep.csproj'), project(name));
    const { failed, code, timedOut, all } = await execa(
      'dotnet',
      ['restore', '--packages', join(folder, 'packages'), '-nodeReuse:false'],
      {
        cwd: folder,
        reject: false,
        all: true,
        timeout: 180_000,
        ...(signal && { cancelSignal: signal }),
        env: {
          ...compilerEnvironment(cache),
          ...temporaryFiles(folder),
          ...(await homeOf(folder)),
          DOTNET_CLI_TELEMETRY_OPTOUT: '1',
          DOTNET_NOLOGO: '1',
          DOTNET_GENERATE_ASPNET_CERTIFICATE: 'false',
          DOTNET_CLI_USE_MSBUILD_SERVER: '0',
          NUGET_HTTP_CACHE_PATH: join(folder, 'http'),
        },
      },
    );
    if (code === 'ENOENT')
      return { kind: 'none', why: 'there is no .NET SDK (dotnet) and no Bicep compiler', remedy };
    if (failed) {
      const said = timedOut ? 'it took more than 180 s' : (all ?? '').trim().split('\n').slice(-3).join('\n');
      return {
        kind: 'none',
        why: `\`dotnet restore\` could not bring ${name} ${bicepVersion}: ${said}`,
        remedy,
      };
    }
    const tools = join(folder, 'packages', name.toLowerCase(), bicepVersion, 'tools');
    await rename(tools, join(cache, bicepVersion)).catch((error: unknown) => {
      if (!existsSync(target)) throw error;
    });
    return { kind: 'found', path: target };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
