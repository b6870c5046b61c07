import http from 'node:http';
import https from 'node:https';

/** Enough for a process of two cores; a thousand calls at once would otherwise open a thousand connections. */
const options = { keepAlive: true, maxSockets: 32, maxFreeSockets: 32 } as const;

/**
 * Connections that are kept and shared by all clients of a service; so many to each host. An SDK left to itself opens
 * one for each call, or as many as it has calls on their way. Idle ones let the process end.
 */
export const keptConnections = { http: new http.Agent(options), https: new https.Agent(options) } as const;
