import { accessRules } from './access.js';
import { identityRules } from './identities.js';
import { keyRules } from './keys.js';
import { poolRules } from './pools.js';
import { privateEndpointRules } from './private-endpoints.js';
import { publicIpRules } from './public-ip.js';
import { roleRules } from './roles.js';
import type { Rule } from './rule.js';
import { secretRules } from './secrets.js';
import { settingRules } from './settings.js';
import { subnetRules } from './subnets.js';
import { upkeepRules } from './upkeep.js';

/** What has to hold of everything that the template deploys, whatever its parameters are. */
export const rules: readonly Rule[] = [
  ...publicIpRules,
  ...keyRules,
  ...accessRules,
  ...roleRules,
  ...secretRules,
  ...subnetRules,
  ...privateEndpointRules,
  ...identityRules,
  ...settingRules,
  ...poolRules,
  ...upkeepRules,
];
