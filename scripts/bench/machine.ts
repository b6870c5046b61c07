import os from 'node:os';
import * as z from 'zod';

/** What the numbers were measured on, and how busy it was with other things when that began. */
export const Machine = z.object({
  node: z.string(),
  platform: z.string(),
  cpu: z.string(),
  cores: z.number().int(),
  memoryGiB: z.number(),
  /** Of the last minute; 0 on Windows, which has none. */
  loadAverage: z.number(),
  busy: z.boolean(),
});
export type Machine = z.infer<typeof Machine>;

/** Beyond this share of its cores, what else the machine does shows in the times. */
const busyShare = 0.5;

export function describeMachine(): Machine {
  const cores = os.availableParallelism();
  const [loadAverage = 0] = os.loadavg();
  return {
    node: process.versions.node,
    platform: `${os.platform()} ${os.arch()}`,
    cpu: os.cpus()[0]?.model.trim() || 'unknown',
    cores,
    memoryGiB: Math.round((os.totalmem() / 2 ** 30) * 10) / 10,
    loadAverage: Math.round(loadAverage * 100) / 100,
    busy: loadAverage > cores * busyShare,
  };
}

export const machineLine = (machine: Machine): string =>
  `Node.js ${machine.node}, ${machine.platform}, ${machine.cpu}, ${machine.cores} cores, ` +
  `${machine.memoryGiB} GiB, load average ${machine.loadAverage}`;
