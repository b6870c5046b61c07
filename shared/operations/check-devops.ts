import type { Config } from '../config.js';
import type { DevOpsProbe } from '../ports/probes.js';
import type { Clock } from '../ports.js';
import { awayRemedy, type Check, clockCheck, ok } from './checks.js';

export function devOpsChecks({
  config,
  devOps,
  clock,
}: {
  readonly config: Pick<Config, 'devOps' | 'profiles'>;
  readonly devOps: DevOpsProbe;
  readonly clock: Clock;
}): readonly Check[] {
  const hasToken = config.devOps.token !== undefined;
  const who = hasToken ? 'the owner of AzDOToken' : "this app's identity";
  const signInRemedy = hasToken
    ? 'Check AzDOUrl, and give AzDOToken a new token of the scope "Agent Pools (read, manage)".'
    : "Check AzDOUrl, and add this app's identity to the organisation as a user (Organization settings, Users).";
  const pools = [...new Set([...config.profiles.values()].map(({ devOpsPool }) => devOpsPool))];
  return [
    {
      area: 'devops',
      name: 'Azure DevOps accepts the sign-in',
      isSignIn: true,
      remedy: signInRemedy,
      remedyWhenAway: awayRemedy('AzDOUrl'),
      run: async () => {
        const { share } = await devOps.signIn();
        const how = hasToken ? 'Signed in with AzDOToken.' : "Signed in with the app's identity.";
        if (share === undefined) return ok(`${how} Nothing is said of a rate limit, so we are far from it.`);
        return {
          status: 'warning',
          detail: `${how} Its rate limit is near: ${share}.`,
          remedy: 'Raise WatchSeconds, or have other users of the same identity call less often.',
        };
      },
    },
    clockCheck('devops', 'Azure DevOps', clock, async () => (await devOps.signIn()).serviceTime),
    ...pools.map(
      (devOpsPool): Check => ({
        area: 'devops',
        name: `Agents of pool "${devOpsPool}" can be managed`,
        remedy: `Make ${who} Administrator of agent pool "${devOpsPool}" (Organization settings, Agent pools, Security)${hasToken ? ', and see that the token has the scope "Agent Pools (read, manage)"' : ''}.`,
        run: async () =>
          (await devOps.manageAgents(devOpsPool))
            ? ok('An agent was registered and removed.')
            : {
                status: 'failed',
                detail: `Azure DevOps has no agent pool "${devOpsPool}" that we may see.`,
                remedy: `Create agent pool "${devOpsPool}" (type self-hosted) or correct devOpsPool in AgentProfiles, and make ${who} Administrator of it.`,
              },
      }),
    ),
  ];
}
