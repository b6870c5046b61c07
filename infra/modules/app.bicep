metadata name = 'Functions app'
metadata description = 'The app on Flex Consumption: signs in everywhere by its identity, reads secrets by reference, and is called by Azure DevOps and known addresses only.'

import { settingsType } from 'types.bicep'

param name string
param planName string
param location string
param tags object

@description('Name of the service in azure.yaml, by which azd finds the app.')
param azdServiceName string

param subnetId string
param instanceMemoryMB int
param maximumInstanceCount int
param alwaysReadyInstances int

@description('Addresses that may call the app beside Azure DevOps, and deploy to it.')
param allowedAddresses string[]

param identityId string
param identityClientId string

param blobServiceUri string
param queueServiceUri string
param tableServiceUri string
param packageContainerName string
param batchAccountName string
param batchAccountUrl string
param registryServer string
param nodesIdentityId string
param azDOUrl string
param agentProfiles string
param callbackTokenKeyReference string
param azDOTokenReference string
param otlpHeadersReference string

@description('Connection string of Application Insights; it says where, and is no secret: only an identity may send.')
param insightsConnectionString string

param settings settingsType

var ownRules = [
  for (address, index) in allowedAddresses: {
    name: 'Operators ${index + 1}'
    description: 'Operators and deployments'
    ipAddress: address
    action: 'Allow'
    priority: 200 + index
  }
]

resource plan 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: {
    name: 'FC1'
    tier: 'FlexConsumption'
  }
  properties: {
    reserved: true
  }
}

resource app 'Microsoft.Web/sites@2025-03-01' = {
  name: name
  location: location
  tags: union(tags, { 'azd-service-name': azdServiceName })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
    }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    clientAffinityEnabled: false
    // Who may call is said by the rules below.
    publicNetworkAccess: 'Enabled'
    virtualNetworkSubnetId: subnetId
    keyVaultReferenceIdentity: identityId
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${blobServiceUri}/${packageContainerName}'
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      runtime: {
        name: 'node'
        version: '22'
      }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstanceCount
        alwaysReady: alwaysReadyInstances == 0
          ? []
          : [
              {
                name: 'http'
                instanceCount: alwaysReadyInstances
              }
              {
                name: 'durable'
                instanceCount: alwaysReadyInstances
              }
            ]
      }
    }
    siteConfig: {
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      ftpsState: 'Disabled'
      http20Enabled: true
      ipSecurityRestrictionsDefaultAction: 'Deny'
      // The tag is every organisation's: a function key is needed all the same.
      ipSecurityRestrictions: concat(
        [
          {
            name: 'Azure DevOps'
            description: 'Pipelines that ask for agents'
            ipAddress: 'AzureDevOps'
            tag: 'ServiceTag'
            action: 'Allow'
            priority: 100
          }
        ],
        ownRules
      )
      scmIpSecurityRestrictionsUseMain: false
      scmIpSecurityRestrictionsDefaultAction: 'Deny'
      scmIpSecurityRestrictions: ownRules
      // An empty setting counts as not set. Not here because an identity stands in their place: AzureWebJobsStorage and
      // BatchAccountKey. Not here because AgentProfiles replaces them: AzDOUbuntuPool and AzDOWindowsPool. Flex Consumption
      // has the runtime above and refuses FUNCTIONS_WORKER_RUNTIME and FUNCTIONS_EXTENSION_VERSION.
      appSettings: [
        {
          name: 'AzureWebJobsStorage__credential'
          value: 'managedidentity'
        }
        {
          name: 'AzureWebJobsStorage__clientId'
          value: identityClientId
        }
        {
          name: 'AzureWebJobsStorage__blobServiceUri'
          value: blobServiceUri
        }
        {
          name: 'AzureWebJobsStorage__queueServiceUri'
          value: queueServiceUri
        }
        {
          name: 'AzureWebJobsStorage__tableServiceUri'
          value: tableServiceUri
        }
        {
          // Which identity signs in to Batch and Azure DevOps.
          name: 'AZURE_CLIENT_ID'
          value: identityClientId
        }
        {
          name: 'BatchAccountUrl'
          value: batchAccountUrl
        }
        {
          name: 'BatchAccountName'
          value: batchAccountName
        }
        {
          name: 'BatchApiVersion'
          value: settings.?BatchApiVersion ?? ''
        }
        {
          name: 'ContainerRegistryServer'
          value: registryServer
        }
        {
          name: 'ContainerRegistryIdentity'
          value: nodesIdentityId
        }
        {
          name: 'AzDOUrl'
          value: azDOUrl
        }
        {
          name: 'AzDOToken'
          value: azDOTokenReference
        }
        {
          name: 'AgentProfiles'
          value: agentProfiles
        }
        {
          name: 'AgentOSTypes'
          value: settings.?AgentOSTypes ?? ''
        }
        {
          name: 'CallbackTokenKey'
          value: callbackTokenKeyReference
        }
        {
          name: 'AllowedPlanHosts'
          value: settings.?AllowedPlanHosts ?? ''
        }
        {
          name: 'WatchSeconds'
          value: settings.?WatchSeconds ?? ''
        }
        {
          name: 'ReplyQueues'
          value: settings.?ReplyQueues ?? ''
        }
        {
          name: 'KeepPlaceholders'
          value: settings.?KeepPlaceholders ?? ''
        }
        {
          name: 'DashboardAuth'
          value: settings.?DashboardAuth ?? ''
        }
        {
          name: 'LogFormat'
          value: settings.?LogFormat ?? ''
        }
        {
          name: 'APPLICATIONINSIGHTS_CONNECTION_STRING'
          value: insightsConnectionString
        }
        {
          name: 'APPLICATIONINSIGHTS_AUTHENTICATION_STRING'
          value: 'Authorization=AAD;ClientId=${identityClientId}'
        }
        {
          name: 'OTEL_EXPORTER_OTLP_ENDPOINT'
          value: settings.?OTEL_EXPORTER_OTLP_ENDPOINT ?? ''
        }
        {
          name: 'OTEL_EXPORTER_OTLP_HEADERS'
          value: otlpHeadersReference
        }
        {
          name: 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'
          value: settings.?OTEL_EXPORTER_OTLP_TRACES_ENDPOINT ?? ''
        }
        {
          name: 'OTEL_EXPORTER_OTLP_METRICS_ENDPOINT'
          value: settings.?OTEL_EXPORTER_OTLP_METRICS_ENDPOINT ?? ''
        }
        {
          name: 'OTEL_METRIC_EXPORT_INTERVAL'
          value: settings.?OTEL_METRIC_EXPORT_INTERVAL ?? ''
        }
        {
          name: 'OTEL_SERVICE_NAME'
          value: settings.?OTEL_SERVICE_NAME ?? ''
        }
        {
          name: 'OTEL_SDK_DISABLED'
          value: settings.?OTEL_SDK_DISABLED ?? ''
        }
      ]
    }
  }
}

// Whoever deploys signs in to Entra: there is no user name with a password.
resource noFtpPassword 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = {
  parent: app
  name: 'ftp'
  properties: {
    allow: false
  }
}

resource noScmPassword 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = {
  parent: app
  name: 'scm'
  properties: {
    allow: false
  }
}

output appName string = app.name
output appUrl string = 'https://${app.properties.defaultHostName}'
