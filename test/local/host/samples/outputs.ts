import { output } from '@azure/functions';
import * as df from 'durable-functions';
import * as z from 'zod';

const blobOutput = output.storageBlob({ path: 'backups/{backupPath}', connection: 'BackupStorage' });
const smsOutput = output.generic({ type: 'twilioSms', from: '%PhoneNumber%' });

df.app.activity('copyFileToBlob', {
  extraOutputs: [blobOutput],
  handler: (file: { backupPath: string; content: string }, context) => {
    context.extraOutputs.set(blobOutput, Buffer.from(file.content));
    return file.content.length;
  },
});
df.app.orchestration('backup', function* (context) {
  const files = context.df.getInput<{ backupPath: string; content: string }[]>();
  const sizes: unknown = yield context.df.Task.all(
    files.map(file => context.df.callActivity('copyFileToBlob', file)),
  );
  return z
    .array(z.number())
    .parse(sizes)
    .reduce((sum, size) => sum + size, 0);
});

df.app.activity('sendSmsChallenge', {
  extraOutputs: [smsOutput],
  handler: (to: string, context) => {
    context.extraOutputs.set(smsOutput, { body: 'Your verification code is 4711', to });
    return 4711;
  },
});
df.app.orchestration('challenge', function* (context) {
  const code: unknown = yield context.df.callActivity('sendSmsChallenge', context.df.getInput());
  return code;
});
