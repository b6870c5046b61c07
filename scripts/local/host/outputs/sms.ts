import * as z from 'zod';
import type { Log } from '../log.js';
import { fillIn } from './binding-data.js';
import type { OutputBinding } from './output.js';

const SmsOutput = z.looseObject({
  from: z.string().optional(),
  to: z.string().optional(),
  body: z.string().optional(),
});
const Message = SmsOutput.catch({});

export interface SmsOutputOptions {
  readonly log: Log;
  resolve(text: string, where: string): string;
}

/**
 * Stands in for Twilio, as a mail catcher does for a mail server: the message is printed and not sent. Whoever tries
 * an app that talks to people on one machine wants to read what it says, and has no account to pay for it.
 */
export function smsOutput(options: SmsOutputOptions): OutputBinding {
  return {
    type: 'twiliosms',
    async send({ binding, data, bindingData, where }) {
      const fixed = SmsOutput.parse(binding);
      const message = data.json === undefined ? { body: data.string } : Message.parse(JSON.parse(data.json));
      const fill = (text: string | undefined): string =>
        fillIn(options.resolve(text ?? '', where), bindingData, where);
      const from = message.from ?? fill(fixed.from);
      const to = message.to ?? fill(fixed.to);
      const body = message.body ?? fill(fixed.body);
      options.log.write(
        'information',
        'Host.Sms',
        `Not sent: SMS from ${from || '(nobody)'} to ${to || '(nobody)'}: ${body}`,
      );
    },
  };
}
