import * as df from 'durable-functions';
import { agentLifecycle } from '../shared/workflow/agent-lifecycle.js';
import { lifecycleName, watchName } from '../shared/workflow/contract.js';
import { poolWatch } from '../shared/workflow/pool-watch.js';

df.app.orchestration(lifecycleName, agentLifecycle);
df.app.orchestration(watchName, poolWatch);
