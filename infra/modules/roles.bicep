metadata name = 'Roles'
metadata description = 'Ids of the built-in roles that are given; no other file knows one.'

@export()
@description('Built-in roles, by what we need them for. Each is given on one resource, never on the resource group.')
var roles = {
  // The app: adds, reads and deletes jobs and tasks, and reads pools.
  batchJobSubmitter: '48e5e92e-a480-4e71-aa9c-2778f4c13781'
  // The app: counts nodes of all pools, which the role above was seen to be refused. It reads and does nothing else.
  batchAccountReader: '11076f67-66f6-4be0-8f6b-f0609fd05cc9'
  // The app: the host keeps its keys and leases in blobs, Durable Functions its leases, the platform the app's package.
  storageBlobDataOwner: 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
  storageQueueDataContributor: '974c5e8b-45b9-4653-ba55-5f855dd0fb88'
  storageTableDataContributor: '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'
  // The app: reads what its settings refer to.
  keyVaultSecretsUser: '4633458b-17de-408a-b874-0445c86b69e6'
  // The app: sends traces, metrics and logs.
  monitoringMetricsPublisher: '3913510d-42f4-4e42-8a64-420c390055eb'
  // The nodes: pull agent images, and may do nothing else in Azure.
  acrPull: '7f951dda-4ed3-4680-a7ca-43fe172d538d'
}
