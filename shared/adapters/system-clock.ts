import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../ports.js';

export const createSystemClock = (): Clock => ({
  now: () => new Date(),
  sleep: async (ms, signal) => {
    if (signal?.aborted) return;
    try {
      await delay(ms, undefined, signal ? { signal } : {});
    } catch (error) {
      if (!signal?.aborted) throw error;
    }
  },
});
