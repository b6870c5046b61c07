// What the host loads: every trigger of the app.
import './activities.js';
import './agents.js';
import './health.js';
import './orchestrations.js';
import './queue.js';
import './timers.js';
