targetScope = 'resourceGroup'

metadata name = 'azdo-batch-agents'
metadata description = 'Fresh, isolated, single-job Azure DevOps agents on demand, inside a private network, on Azure Batch.'

import { poolType, settingsType } from 'modules/types.bicep'

// ------------------------------------------------------------------ What it is called, and where it is

@description('What all names begin with: letters, digits and "-", beginning with a letter.')
@minLength(2)
@maxLength(20)
param appName string = 'agents'

@description('Environment, in tags and, with its first 12 characters, in names: two of them can share a resource group.')
@minLength(1)
@maxLength(64)
param environmentName string = 'prod'

@description('Region. It must offer Flex Consumption, and the VM sizes of the pools.')
param location string = resourceGroup().location

@description('Tags of every resource.')
param tags object = {}

// ------------------------------------------------------------------ Azure DevOps

@description('The organisation, e.g. https://dev.azure.com/contoso.')
@minLength(12)
param azDOUrl string

@description('Token for agent pools, only where agents can not register by identity; empty: none; keep: the one that the vault has.')
@secure()
param azDOToken string = ''

@description('Seals the job tokens of waiting pipelines: `openssl rand -base64 32`, once. keep: the one that the vault has.')
@secure()
@minLength(4)
@maxLength(89)
param callbackTokenKey string

// ------------------------------------------------------------------ Agents

@description('The kinds of agents. The first is the one that is meant when a request names none.')
@minLength(1)
param pools poolType[] = [
  {
    name: 'ubuntu'
    version: 'v1'
    devOpsPool: 'Private Ubuntu'
    image: 'azdo-agent:ubuntu-24.04-azdo'
    os: 'linux'
    vmSize: 'Standard_D4s_v5'
    nodeImage: {
      publisher: 'microsoft-dsvm'
      offer: 'ubuntu-hpc'
      sku: '2404'
      version: 'latest'
    }
    nodeAgentSku: 'batch.node.ubuntu 24.04'
    taskSlotsPerNode: 4
    // Four builds share it, and a large agent image.
    osDiskSizeGB: 128
    autoScale: {
      maxLowPriorityNodes: 4
      maxDedicatedNodes: 2
    }
  }
]

@description('false: Batch pools are left as they are, and only the profiles are written: for when Batch refuses a pool that exists.')
param deployPools bool = true

@description('Settings of the app that have a default; the table of settings in the README says what they mean.')
param settings settingsType = {}

@description('Headers that settings.OTEL_EXPORTER_OTLP_ENDPOINT wants, NAME=VALUE,NAME=VALUE: a secret, for there may be a key in them. Empty: none; keep: those that the vault has.')
@secure()
param otlpHeaders string = ''

// ------------------------------------------------------------------ The network

@description('Address space of the virtual network. It must not overlap 172.17.0.0/16, which containers on nodes use, nor what it is peered with.')
param vnetAddressPrefix string = '10.90.0.0/20'

@description('Nodes: one address a node, and five of the platform.')
param nodesSubnetPrefix string = '10.90.0.0/22'

@description('The Functions app, at least /27.')
param appSubnetPrefix string = '10.90.4.0/26'

@description('Private endpoints: eight addresses, and five of the platform.')
param endpointsSubnetPrefix string = '10.90.4.64/26'

@description('Address ranges of the corporate network: agents and app may call all of it, and it may call the private endpoints.')
param corporateAddressPrefixes string[] = []

@description('DNS servers of the corporate network; they must forward to 168.63.129.16. Empty: those of Azure.')
param dnsServers string[] = []

@description('Ranges that may call the app and deploy to it beside Azure DevOps, e.g. 203.0.113.7/32.')
param allowedAddresses string[] = []

// ------------------------------------------------------------------ Size and cost

@description('Memory of an instance of the app.')
@allowed([512, 2048, 4096])
param instanceMemoryMB int = 2048

@description('Instances of the app at most.')
@minValue(1)
@maxValue(1000)
param maximumInstanceCount int = 40

@description('Instances that are always there, for HTTP and for orchestrations each; 0: a call can wait for one to start.')
@minValue(0)
param alwaysReadyInstances int = 0

@description('Redundancy of the storage account.')
@allowed(['Standard_LRS', 'Standard_ZRS', 'Standard_GZRS'])
param storageSku string = 'Standard_LRS'

@description('Days that logs are kept.')
@minValue(30)
@maxValue(730)
param logRetentionDays int = 30

@description('Who is told of alerts by e-mail; empty: they are seen in the portal only.')
param alertEmail string = ''

// ------------------------------------------------------------------ Names

var suffix = uniqueString(resourceGroup().id, appName, environmentName)
var namePrefix = toLower('${appName}-${take(environmentName, 12)}')
// Names without hyphens have at most 24 characters: 2 + 8 + 13.
var shortName = take(toLower(replace(appName, '-', '')), 8)
var batchAccountName = 'ba${shortName}${suffix}'
var allTags = union({ application: 'azdo-batch-agents', 'azd-env-name': environmentName }, tags)

// ------------------------------------------------------------------ Identities

resource appIdentity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: '${namePrefix}-app-identity'
  location: location
  tags: allTags
}

// Jobs in agents can get tokens of this one: it pulls images, registers agents, and may do nothing else.
resource nodesIdentity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: '${namePrefix}-nodes-identity'
  location: location
  tags: allTags
}

// ------------------------------------------------------------------ Services

module network 'modules/network.bicep' = {
  params: {
    namePrefix: namePrefix
    location: location
    tags: allTags
    addressPrefix: vnetAddressPrefix
    nodesSubnetPrefix: nodesSubnetPrefix
    appSubnetPrefix: appSubnetPrefix
    endpointsSubnetPrefix: endpointsSubnetPrefix
    corporateAddressPrefixes: corporateAddressPrefixes
    dnsServers: dnsServers
  }
}

module observability 'modules/observability.bicep' = {
  params: {
    namePrefix: namePrefix
    location: location
    tags: allTags
    retentionInDays: logRetentionDays
    alertEmail: alertEmail
    appIdentityId: appIdentity.id
    appPrincipalId: appIdentity.properties.principalId
  }
}

module registry 'modules/registry.bicep' = {
  params: {
    name: 'cr${shortName}${suffix}'
    location: location
    tags: allTags
    nodesIdentityId: nodesIdentity.id
    nodesPrincipalId: nodesIdentity.properties.principalId
    workspaceId: observability.outputs.workspaceId
  }
}

module storage 'modules/storage.bicep' = {
  params: {
    name: 'st${shortName}${suffix}'
    location: location
    tags: allTags
    skuName: storageSku
    appIdentityId: appIdentity.id
    appPrincipalId: appIdentity.properties.principalId
  }
}

module vault 'modules/vault.bicep' = {
  params: {
    name: 'kv${shortName}${suffix}'
    location: location
    tags: allTags
    callbackTokenKey: callbackTokenKey
    azDOToken: azDOToken
    otlpHeaders: otlpHeaders
    appIdentityId: appIdentity.id
    appPrincipalId: appIdentity.properties.principalId
    workspaceId: observability.outputs.workspaceId
  }
}

module batch 'modules/batch.bicep' = {
  params: {
    name: batchAccountName
    location: location
    tags: allTags
    appIdentityId: appIdentity.id
    appPrincipalId: appIdentity.properties.principalId
    workspaceId: observability.outputs.workspaceId
  }
}

// ------------------------------------------------------------------ Private endpoints

module batchZone 'modules/private-dns-zone.bicep' = {
  params: {
    zoneName: 'privatelink.batch.azure.com'
    virtualNetworkId: network.outputs.virtualNetworkId
    tags: allTags
  }
}

module registryZone 'modules/private-dns-zone.bicep' = {
  params: {
    zoneName: 'privatelink${environment().suffixes.acrLoginServer}'
    virtualNetworkId: network.outputs.virtualNetworkId
    tags: allTags
  }
}

module blobZone 'modules/private-dns-zone.bicep' = {
  params: {
    zoneName: 'privatelink.blob.${environment().suffixes.storage}'
    virtualNetworkId: network.outputs.virtualNetworkId
    tags: allTags
  }
}

module queueZone 'modules/private-dns-zone.bicep' = {
  params: {
    zoneName: 'privatelink.queue.${environment().suffixes.storage}'
    virtualNetworkId: network.outputs.virtualNetworkId
    tags: allTags
  }
}

module tableZone 'modules/private-dns-zone.bicep' = {
  params: {
    zoneName: 'privatelink.table.${environment().suffixes.storage}'
    virtualNetworkId: network.outputs.virtualNetworkId
    tags: allTags
  }
}

module vaultZone 'modules/private-dns-zone.bicep' = {
  params: {
    zoneName: 'privatelink.vaultcore.azure.net'
    virtualNetworkId: network.outputs.virtualNetworkId
    tags: allTags
  }
}

module batchAccountEndpoint 'modules/private-endpoint.bicep' = {
  params: {
    name: '${namePrefix}-batch-account-endpoint'
    location: location
    tags: allTags
    subnetId: network.outputs.endpointsSubnetId
    serviceId: batch.outputs.accountId
    groupId: 'batchAccount'
    zoneId: batchZone.outputs.zoneId
  }
}

module batchNodesEndpoint 'modules/private-endpoint.bicep' = {
  params: {
    name: '${namePrefix}-batch-nodes-endpoint'
    location: location
    tags: allTags
    subnetId: network.outputs.endpointsSubnetId
    serviceId: batch.outputs.accountId
    groupId: 'nodeManagement'
    zoneId: batchZone.outputs.zoneId
  }
  // One after the other: an account takes one change at a time.
  dependsOn: [batchAccountEndpoint]
}

module registryEndpoint 'modules/private-endpoint.bicep' = {
  params: {
    name: '${namePrefix}-registry-endpoint'
    location: location
    tags: allTags
    subnetId: network.outputs.endpointsSubnetId
    serviceId: registry.outputs.registryId
    groupId: 'registry'
    zoneId: registryZone.outputs.zoneId
  }
}

module blobEndpoint 'modules/private-endpoint.bicep' = {
  params: {
    name: '${namePrefix}-blob-endpoint'
    location: location
    tags: allTags
    subnetId: network.outputs.endpointsSubnetId
    serviceId: storage.outputs.accountId
    groupId: 'blob'
    zoneId: blobZone.outputs.zoneId
  }
}

module queueEndpoint 'modules/private-endpoint.bicep' = {
  params: {
    name: '${namePrefix}-queue-endpoint'
    location: location
    tags: allTags
    subnetId: network.outputs.endpointsSubnetId
    serviceId: storage.outputs.accountId
    groupId: 'queue'
    zoneId: queueZone.outputs.zoneId
  }
}

module tableEndpoint 'modules/private-endpoint.bicep' = {
  params: {
    name: '${namePrefix}-table-endpoint'
    location: location
    tags: allTags
    subnetId: network.outputs.endpointsSubnetId
    serviceId: storage.outputs.accountId
    groupId: 'table'
    zoneId: tableZone.outputs.zoneId
  }
}

module vaultEndpoint 'modules/private-endpoint.bicep' = {
  params: {
    name: '${namePrefix}-vault-endpoint'
    location: location
    tags: allTags
    subnetId: network.outputs.endpointsSubnetId
    serviceId: vault.outputs.vaultId
    groupId: 'vault'
    zoneId: vaultZone.outputs.zoneId
  }
}

// ------------------------------------------------------------------ Agents: one pool and one profile an entry

module batchPools 'modules/pool.bicep' = [
  for pool in pools: if (deployPools && (pool.?deploy ?? true)) {
    params: {
      accountName: batchAccountName
      pool: pool
      subnetId: network.outputs.nodesSubnetId
      nodesIdentityId: nodesIdentity.id
      registryServer: registry.outputs.loginServer
    }
    // Else the first nodes would find neither the service nor their images.
    dependsOn: [batchNodesEndpoint, registryEndpoint]
  }
]

// What shared/config/profiles.ts reads.
var agentProfiles = toObject(
  pools,
  pool => pool.name,
  pool =>
    union(
      {
        devOpsPool: pool.devOpsPool
        batchPool: '${pool.name}-${pool.version}'
        image: pool.image
        os: pool.os
        slots: pool.?slots ?? 1
        agentAuth: pool.?agentAuth ?? 'identity'
      },
      pool.?limits ?? {}
    )
)

// ------------------------------------------------------------------ The app

module app 'modules/app.bicep' = {
  params: {
    name: '${namePrefix}-${suffix}'
    planName: '${namePrefix}-plan'
    location: location
    tags: allTags
    azdServiceName: 'app'
    subnetId: network.outputs.appSubnetId
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    alwaysReadyInstances: alwaysReadyInstances
    allowedAddresses: allowedAddresses
    identityId: appIdentity.id
    identityClientId: appIdentity.properties.clientId
    blobServiceUri: storage.outputs.blobServiceUri
    queueServiceUri: storage.outputs.queueServiceUri
    tableServiceUri: storage.outputs.tableServiceUri
    packageContainerName: storage.outputs.packageContainerName
    batchAccountName: batch.outputs.accountName
    batchAccountUrl: batch.outputs.accountUrl
    registryServer: registry.outputs.loginServer
    nodesIdentityId: nodesIdentity.id
    azDOUrl: azDOUrl
    agentProfiles: string(agentProfiles)
    callbackTokenKeyReference: vault.outputs.callbackTokenKeyReference
    azDOTokenReference: empty(azDOToken) ? '' : vault.outputs.azDOTokenReference
    otlpHeadersReference: empty(otlpHeaders) ? '' : vault.outputs.otlpHeadersReference
    insightsConnectionString: observability.outputs.connectionString
    settings: settings
  }
  // It reads all of these when it starts.
  dependsOn: [blobEndpoint, queueEndpoint, tableEndpoint, vaultEndpoint, batchAccountEndpoint]
}

// ------------------------------------------------------------------ What people and tools go on with

@description('Address of the app, for the variable group of pipelines.')
output appUrl string = app.outputs.appUrl

output appName string = app.outputs.appName

@description('Name under which the app is added to the Azure DevOps organisation.')
output appIdentityName string = appIdentity.name
output appIdentityPrincipalId string = appIdentity.properties.principalId
output appIdentityClientId string = appIdentity.properties.clientId

@description('Name under which the nodes are added to the Azure DevOps organisation.')
output nodesIdentityName string = nodesIdentity.name
output nodesIdentityPrincipalId string = nodesIdentity.properties.principalId
output nodesIdentityClientId string = nodesIdentity.properties.clientId

@description('The one address that agents and app call the world from.')
output natAddress string = network.outputs.natAddress

output virtualNetworkId string = network.outputs.virtualNetworkId
output registryName string = registry.outputs.registryName
output registryServer string = registry.outputs.loginServer
output batchAccountName string = batch.outputs.accountName
output batchAccountUrl string = batch.outputs.accountUrl
output storageAccountName string = storage.outputs.accountName
output vaultName string = vault.outputs.vaultName
output insightsName string = observability.outputs.insightsName

@description('Batch pools that the profiles name now.')
output batchPools string[] = [for pool in pools: '${pool.name}-${pool.version}']

@description('What to do next, in this order: steps 3 to 6 of .github/docs/deploy.md.')
output nextSteps string[] = [
  'npm run deploy -- --resource-group ${resourceGroup().name} --app-only (with the same --parameters; done already without --infra-only)'
  'npm run images -- import --registry ${registry.outputs.registryName} --source YOUR-REGISTRY.azurecr.io/${pools[0].image}'
  'Azure DevOps: add ${appIdentity.name} and ${nodesIdentity.name} to the users of ${azDOUrl} (Basic), and make both Administrator of the agent pool ${pools[0].devOpsPool}'
  'az functionapp keys list --resource-group ${resourceGroup().name} --name ${app.outputs.appName} --query functionKeys.default --output tsv'
  'AGENTS_URL=${app.outputs.appUrl} AGENTS_KEY=THE-KEY npm run agents -- doctor'
]
