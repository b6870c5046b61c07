metadata name = 'Key Vault'
metadata description = 'The secrets that can not be replaced by an identity; the app reads them by references in its settings.'

import { roles } from 'roles.bicep'

param name string
param location string
param tags object

@secure()
param callbackTokenKey string

@secure()
param azDOToken string

@secure()
param otlpHeaders string

@description('Resource id of the identity: with it what-if can tell the names of role assignments.')
param appIdentityId string

@description('Principal id of the identity of the app, which may read.')
param appPrincipalId string

param workspaceId string

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    sku: {
      family: 'A'
      name: 'standard'
    }
    enableRbacAuthorization: true
    enablePurgeProtection: true
    enableSoftDelete: true
    softDeleteRetentionInDays: 90
    enabledForDeployment: false
    enabledForDiskEncryption: false
    enabledForTemplateDeployment: false
    publicNetworkAccess: 'Disabled'
    networkAcls: {
      defaultAction: 'Deny'
      // The deployment writes the secrets below.
      bypass: 'AzureServices'
    }
  }
}

// "keep" leaves the secret as it is: a new key would lock out the pipelines that wait under the old one.
resource callbackTokenKeySecret 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = if (callbackTokenKey != 'keep') {
  parent: vault
  name: 'CallbackTokenKey'
  tags: tags
  properties: {
    contentType: '32 bytes in base64, or two such keys separated by a comma, the newest first'
    value: callbackTokenKey
    attributes: {
      enabled: true
    }
  }
}

resource azDOTokenSecret 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = if (!empty(azDOToken) && azDOToken != 'keep') {
  parent: vault
  name: 'AzDOToken'
  tags: tags
  properties: {
    contentType: 'Azure DevOps token of the scope Agent Pools (read, manage)'
    value: azDOToken
    attributes: {
      enabled: true
    }
  }
}

resource otlpHeadersSecret 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = if (!empty(otlpHeaders) && otlpHeaders != 'keep') {
  parent: vault
  name: 'OtlpHeaders'
  tags: tags
  properties: {
    contentType: 'Headers of an OpenTelemetry endpoint, NAME=VALUE,NAME=VALUE'
    value: otlpHeaders
    attributes: {
      enabled: true
    }
  }
}

resource appMayReadSecrets 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(vault.id, appIdentityId, roles.keyVaultSecretsUser)
  scope: vault
  properties: {
    description: 'The app reads the secrets that its settings refer to (Key Vault Secrets User).'
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.keyVaultSecretsUser)
  }
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: vault
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

output vaultId string = vault.id
output vaultName string = vault.name
output callbackTokenKeyReference string = '@Microsoft.KeyVault(VaultName=${vault.name};SecretName=CallbackTokenKey)'
output azDOTokenReference string = '@Microsoft.KeyVault(VaultName=${vault.name};SecretName=AzDOToken)'
output otlpHeadersReference string = '@Microsoft.KeyVault(VaultName=${vault.name};SecretName=OtlpHeaders)'
