import { accessRules } from './access.js';
import { egressRules } from './egress.js';
import { hostSettingRules } from './host-settings.js';
import { identityRules } from './identities.js';
import { keyRules } from './keys.js';
import { monitoringRules } from './monitoring.js';
import { nameRules } from './names.js';
import { partRules } from './parts.js';
import { poolRules } from './pools.js';
import { privateEndpointRules } from './private-endpoints.js';
import { publicIpRules } from './public-ip.js';
import { roleRules } from './roles.js';
import type { Rule } from './rule.js';
import { secretRules } from './secrets.js';
import { securityGroupRules } from './security-groups.js';
import { settingRules } from './settings.js';
import { siteRules } from './site.js';
import { subnetRules } from './subnets.js';
import { upkeepRules } from './upkeep.js';

/** What has to hold of everything that the template deploys, whatever its parameters are. */
export const rules: readonly Rule[] = [
  ...publicIpRules,
  ...keyRules,
  ...accessRules,
  ...siteRules,
  ...securityGroupRules,
  ...roleRules,
  ...secretRules,
  ...subnetRules,
  ...egressRules,
  ...privateEndpointRules,
  ...identityRules,
  ...settingRules,
  ...hostSettingRules,
  ...poolRules,
  ...nameRules,
  ...monitoringRules,
  ...partRules,
  ...upkeepRules,
];
