metadata name = 'Container registry'
metadata description = 'Where nodes pull agent images from, by their identity and over a private endpoint.'

import { roles } from 'roles.bicep'

param name string
param location string
param tags object

@description('Resource id of the identity: with it what-if can tell the names of role assignments.')
param nodesIdentityId string

@description('Principal id of the identity of the nodes, which may pull.')
param nodesPrincipalId string

param workspaceId string

resource registry 'Microsoft.ContainerRegistry/registries@2025-11-01' = {
  name: name
  location: location
  tags: tags
  // Private endpoints need Premium.
  sku: {
    name: 'Premium'
  }
  properties: {
    adminUserEnabled: false
    anonymousPullEnabled: false
    publicNetworkAccess: 'Disabled'
    networkRuleSet: {
      defaultAction: 'Deny'
    }
    // `az acr import` is done by the service itself.
    networkRuleBypassOptions: 'AzureServices'
    dataEndpointEnabled: false
  }
}

resource nodesMayPull 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(registry.id, nodesIdentityId, roles.acrPull)
  scope: registry
  properties: {
    description: 'Nodes pull agent images (AcrPull).'
    principalId: nodesPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.acrPull)
  }
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: registry
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

output registryId string = registry.id
output registryName string = registry.name
output loginServer string = registry.properties.loginServer
