import { loadStorage } from './ports.js';
import { openTheWayOut } from './telemetry.js';

/** What most calls need is loaded once the functions are registered, not while the first call waits. */
setImmediate(() => void loadStorage().then(openTheWayOut));
