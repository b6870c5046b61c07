import http from 'node:http';
import { CallerSetup } from './protocol.js';
import { type Call, serveBursts } from './serve.js';

/** A process that calls an HTTP function: as many callers at once as are wanted, each with a connection of its own. */
serveBursts(async message => {
  const { url, headers, body } = CallerSetup.parse(message);
  const agent = new http.Agent({ keepAlive: true });
  const options: http.RequestOptions = {
    method: 'POST',
    agent,
    headers: {
      ...headers,
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    },
  };
  const call: Call = () =>
    new Promise((resolve, reject) => {
      const request = http.request(url, options, response => {
        response.resume();
        response.once('error', reject);
        response.once('end', () => {
          const { statusCode = 0 } = response;
          if (statusCode >= 200 && statusCode < 300) resolve();
          else reject(new Error(`answered ${statusCode}`));
        });
      });
      request.once('error', reject);
      request.end(body);
    });
  // The first call of all loads what the app loads late.
  await call();
  return call;
});
