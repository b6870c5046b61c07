// What the host loads: every trigger of the app.
import './activities.js';
import './dashboard.js';
import './dead-letters.js';
import './delete-agent.js';
import './get-agents.js';
import './get-events.js';
import './get-overview.js';
import './get-pools.js';
import './health.js';
import './orchestrations.js';
import './other-methods.js';
import './placeholders.js';
import './post-agents.js';
import './post-diagnosis.js';
import './queue.js';
import './timers.js';
