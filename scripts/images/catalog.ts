import { join } from 'node:path';
import { root } from '../root.js';

/** An image that this project can build. */
export interface AgentImage {
  readonly os: 'linux' | 'windows';
  /** What a profile asks for: the settings of the app name the same (shared/config/profiles.ts). */
  readonly tag: string;
  readonly base: string;
  readonly context: string;
  /** Which of the agent's packages goes into it. */
  readonly platform: 'linux-x64' | 'win-x64';
}

export const repository = 'azdo-agent';
export const imagesFolder = join(root, 'infra', 'images');

const windows = (year: 2022 | 2025): AgentImage => ({
  os: 'windows',
  tag: `windows-core-ltsc${year}-azdo`,
  base: `mcr.microsoft.com/windows/servercore:ltsc${year}`,
  context: join(imagesFolder, 'windows'),
  platform: 'win-x64',
});

export const catalog = {
  linux: {
    os: 'linux',
    tag: 'ubuntu-24.04-azdo',
    base: 'ubuntu:24.04',
    context: join(imagesFolder, 'linux'),
    platform: 'linux-x64',
  },
  'windows-2022': windows(2022),
  'windows-2025': windows(2025),
} as const satisfies Readonly<Record<string, AgentImage>>;

export type ImageName = keyof typeof catalog;
export const imageNames = Object.keys(catalog);
export const isImageName = (name: string): name is ImageName => Object.hasOwn(catalog, name);
