/** How the agent ends. The real agent uses 0 to 4; what only this one can tell starts at 10. */
export const exitCode = {
  /** Its one job ran (whatever the job's result), or it was asked to end. */
  done: 0,
  /** Its settings are missing or malformed, or its registration was removed while it waited. */
  terminated: 1,
  /** The service could not be reached, or something unforeseen happened: worth another try. */
  retryable: 2,
  /** The token was refused, or there is none. */
  tokenRefused: 10,
  poolUnknown: 11,
  /** This name is registered or has had its job. A name is used once, so this is a rerun that nobody waits for. */
  nameInUse: 12,
  /** It was started after `AZDO_EXPIRES_AT`: nobody waits for it any more. */
  tooLate: 13,
  /** No job came within `AZDO_IDLE_MINUTES`; only the start script of the image tells. */
  noJob: 14,
} as const;

export type ExitCode = (typeof exitCode)[keyof typeof exitCode];

/** The reason why the agent ends, as one line for a person. */
export class AgentExit extends Error {
  override readonly name = 'AgentExit';

  constructor(
    readonly code: ExitCode,
    message: string,
  ) {
    super(message);
  }
}
