import type { Command } from 'commander';
import { addCancel } from './cancel.js';
import { addList } from './list.js';
import { addRequest } from './request.js';
import { addStatus } from './status.js';

export function addRequests(program: Command): void {
  for (const add of [addRequest, addStatus, addList, addCancel]) add(program);
}
