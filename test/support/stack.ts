import { type Stack, type StackOptions, startStack } from '../../scripts/local/stack/stack.js';
import { makeTempFolder } from './temp-folder.js';

/**
 * Runs a test on a stack of its own: free ports, a temporary data folder, and all of it gone afterwards, whether
 * the test came through or threw.
 */
export async function withStack<T>(
  options: Omit<StackOptions, 'dataDir'>,
  work: (stack: Stack) => Promise<T>,
): Promise<T> {
  const { stack, end } = await openStack(options);
  try {
    return await work(stack);
  } finally {
    await end();
  }
}

/** The same for suites that share a stack among their tests: start it in `before`, `end` it in `after`. */
export async function openStack(
  options: Omit<StackOptions, 'dataDir'>,
): Promise<{ readonly stack: Stack; readonly end: () => Promise<void> }> {
  const folder = await makeTempFolder('stack-');
  try {
    const stack = await startStack({ ...options, dataDir: folder.path });
    const end = async (): Promise<void> => {
      try {
        await stack.stop();
      } finally {
        await folder.remove();
      }
    };
    return { stack, end };
  } catch (error) {
    await folder.remove();
    throw error;
  }
}
