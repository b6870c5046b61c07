import { readFileSync } from 'node:fs';

import * as z from 'zod';

import { agentImage } from './agent-image.js';

/** Which local command stands for which container image where no Docker engine is; `*` stands for any characters. */
export const ImageCommands = z.array(
  z.strictObject({ image: z.string().min(1), command: z.array(z.string()).min(1) }),
);
export type ImageCommands = z.infer<typeof ImageCommands>;

export const defaultImages: ImageCommands = [{ image: '*azdo-agent:*', command: [...agentImage] }];

/** @throws Error with a sentence that names the file. */
export function readConfigFile<S extends z.ZodType>(what: string, file: string, schema: S): z.output<S> {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new Error(`The ${what} file ${file} can't be read as JSON: ${String(error)}`, { cause: error });
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) {
    throw new Error(`The ${what} file ${file} is not valid:\n${z.prettifyError(parsed.error)}`);
  }
  return parsed.data;
}

export function commandFor(images: ImageCommands, imageName: string): readonly string[] | undefined {
  return images.find(({ image }) => matches(image, imageName))?.command;
}

function matches(pattern: string, text: string): boolean {
  const source = pattern
    .split('*')
    .map(part => part.replace(/[.+?^${}()|[\]\\]/g, String.raw`\$&`))
    .join('.*');
  return new RegExp(`^${source}$`, 'i').test(text);
}
