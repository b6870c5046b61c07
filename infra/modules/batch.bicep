metadata name = 'Batch account'
metadata description = 'Runs the agents. No keys: whoever calls it proves an identity, over a private endpoint.'

import { roles } from 'roles.bicep'

param name string
param location string
param tags object

@description('Resource id of the identity: with it what-if can tell the names of role assignments.')
param appIdentityId string

@description('Principal id of the identity of the app, which submits jobs and tasks.')
param appPrincipalId string

param workspaceId string

resource account 'Microsoft.Batch/batchAccounts@2025-06-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    poolAllocationMode: 'BatchService'
    allowedAuthenticationModes: ['AAD']
    publicNetworkAccess: 'Disabled'
    networkProfile: {
      accountAccess: {
        defaultAction: 'Deny'
      }
      nodeManagementAccess: {
        defaultAction: 'Deny'
      }
    }
  }
}

resource appMaySubmitJobs 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(account.id, appIdentityId, roles.batchJobSubmitter)
  scope: account
  properties: {
    description: 'The app makes and removes jobs and tasks, and reads pools (Azure Batch Job Submitter).'
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.batchJobSubmitter)
  }
}

resource appMayReadAccount 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(account.id, appIdentityId, roles.batchAccountReader)
  scope: account
  properties: {
    description: 'The app counts the nodes of pools (Azure Batch Account Reader).'
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.batchAccountReader)
  }
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: account
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        categoryGroup: 'allLogs'
        enabled: true
      }
    ]
  }
}

output accountId string = account.id
output accountName string = account.name
output accountUrl string = 'https://${account.properties.accountEndpoint}'
