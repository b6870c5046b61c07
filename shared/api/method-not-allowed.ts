import { type ApiResponse, problem } from './problem.js';

export const methodNotAllowed = (allowed: readonly string[]): ApiResponse =>
  problem('MethodNotAllowed', `This route takes ${allowed.join(' and ')}.`, {
    headers: { allow: allowed.join(', ') },
  });
