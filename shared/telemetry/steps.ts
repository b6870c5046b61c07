/** What a step is to the one before it, as OpenTelemetry tells spans apart. */
export type StepKind = 'server' | 'producer' | 'consumer' | 'client' | 'internal';

/** Every step (span) of the product that is not an activity of the contract, by what the code calls it. */
export const steps = {
  intake: 'POST agents',
  send: 'agent-requests send',
  process: 'agent-requests process',
  restart: 'restart',
  redrive: 'redrive',
  waitForPlace: 'waiting for a place',
  waitForAgent: 'waiting for the agent',
  waitForJob: 'waiting for a job',
  work: 'agent at work',
  callback: 'pipeline callback',
  reply: 'reply send',
  deadLetter: 'dead letter send',
  createTask: 'batch createTask',
  getTask: 'batch getTask',
  listTasks: 'batch listTasks',
  deleteTask: 'batch deleteTask',
  poolProblem: 'batch poolProblem',
  outputTail: 'batch outputTail',
  poolExists: 'devops poolExists',
  listAgents: 'devops listAgents',
  getAgent: 'devops getAgent',
  removeAgent: 'devops removeAgent',
  ranJob: 'devops ranJob',
  jobResult: 'devops jobResult',
  ensurePlaceholder: 'devops ensurePlaceholder',
} as const;

/** Everything that is told of steps, by its name: what a query may ask for. */
export const stepFields = [
  'requestId',
  'attempt',
  'profile',
  'status',
  'delivery',
  'outcome',
  'state',
  'code',
  'phase',
  'news',
  'delayMs',
  'toOnlineSeconds',
  'pool',
  'alive',
] as const;

const kinds: Readonly<Record<string, StepKind>> = {
  [steps.intake]: 'server',
  [steps.send]: 'producer',
  [steps.reply]: 'producer',
  [steps.deadLetter]: 'producer',
  [steps.process]: 'consumer',
  [steps.callback]: 'client',
};

export const kindOf = (name: string): StepKind =>
  kinds[name] ?? (/^(?:batch|devops) /.test(name) ? 'client' : 'internal');
