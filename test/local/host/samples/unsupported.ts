import { app, input, output } from '@azure/functions';
import * as df from 'durable-functions';

app.storageBlob('onBlob', { path: 'in/{name}', connection: 'AzureWebJobsStorage', handler: () => undefined });
app.http('toTable', {
  extraInputs: [input.storageBlob({ path: 'x/y', connection: 'AzureWebJobsStorage' })],
  extraOutputs: [output.table({ tableName: 't', connection: 'AzureWebJobsStorage' })],
  handler: () => ({}),
});
df.app.entity('counter', () => undefined);
app.http('fine', { handler: () => ({}) });
