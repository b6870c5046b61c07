import { randomBytes } from 'node:crypto';
import { createTokenSeal } from '../../shared/adapters/token-seal.js';
import type { TokenSeal } from '../../shared/ports.js';

/** The real one, with a key of its own. */
export const createTestSeal = (): TokenSeal => createTokenSeal({ keys: [randomBytes(32)] });
