import * as z from 'zod';
import { resolvePercentNames } from '../settings.js';
import type { Output, OutputContext } from './output.js';

const Binding = z.looseObject({
  accountSidSetting: z.string().default('AzureWebJobsTwilioAccountSid'),
  authTokenSetting: z.string().default('AzureWebJobsTwilioAuthToken'),
  from: z.string().optional(),
  to: z.string().optional(),
  body: z.string().optional(),
});
const Sms = z.looseObject({
  to: z.string().optional(),
  from: z.string().optional(),
  body: z.string().optional(),
});

/**
 * Sends SMS through Twilio. Without an account, which the samples of Durable Functions don't bring, a message is
 * written to the log instead, and the start says so.
 */
export function smsOutput(binding: unknown, { where, settings, log }: OutputContext): Output {
  const given = Binding.parse(binding);
  const sid = settings[given.accountSidSetting];
  const token = settings[given.authTokenSetting];
  if (!sid || !token) {
    const missing = sid ? given.authTokenSetting : given.accountSidSetting;
    log.write('warning', 'Host.Startup', `${where} writes to this log: the setting ${missing} is not set.`);
    return {
      async write(data) {
        const { to, body } = messageOf(data.json, given);
        log.write('information', 'Host.Sms', `SMS to ${to}: ${body}`);
      },
    };
  }
  const from = given.from === undefined ? undefined : resolvePercentNames(given.from, settings, where);
  return {
    async write(data) {
      const { to, body, from: From = '' } = messageOf(data.json, { ...given, from });
      const response = await fetch(`https://api.twilio.com/2010-04-01/Accounts/${sid}/Messages.json`, {
        method: 'POST',
        headers: { authorization: `Basic ${Buffer.from(`${sid}:${token}`).toString('base64')}` },
        body: new URLSearchParams({ To: to, From, Body: body }),
      });
      if (!response.ok) throw new Error(`Twilio refused the SMS with status ${response.status}.`);
    },
  };
}

function messageOf(
  json: string | undefined,
  defaults: {
    readonly to?: string | undefined;
    readonly from?: string | undefined;
    readonly body?: string | undefined;
  },
): { readonly to: string; readonly from: string | undefined; readonly body: string } {
  const sms = Sms.parse(json === undefined ? {} : JSON.parse(json));
  const to = sms.to ?? defaults.to;
  if (to === undefined) throw new Error('The SMS has no "to".');
  return { to, from: sms.from ?? defaults.from, body: sms.body ?? defaults.body ?? '' };
}
