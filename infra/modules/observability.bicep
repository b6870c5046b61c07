metadata name = 'Observability'
metadata description = 'Workspace, Application Insights, and the workbook and alert rules of the product.'

import { roles } from 'roles.bicep'

param namePrefix string
param location string
param tags object
param retentionInDays int

@description('Who is told of alerts; empty: nobody is, and the alerts are seen in the portal.')
param alertEmail string

@description('Resource id of the identity: with it what-if can tell the names of role assignments.')
param appIdentityId string

@description('Principal id of the identity of the app, which may send telemetry.')
param appPrincipalId string

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-02-01' = {
  name: '${namePrefix}-log'
  location: location
  tags: tags
  properties: {
    sku: {
      name: 'PerGB2018'
    }
    retentionInDays: retentionInDays
    features: {
      disableLocalAuth: true
      enableLogAccessUsingOnlyResourcePermissions: true
    }
  }
}

resource insights 'Microsoft.Insights/components@2020-02-02' = {
  name: '${namePrefix}-insights'
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: workspace.id
    IngestionMode: 'LogAnalytics'
    DisableLocalAuth: true
  }
}

resource appMaySendTelemetry 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(insights.id, appIdentityId, roles.monitoringMetricsPublisher)
  scope: insights
  properties: {
    description: 'The app sends traces, metrics and logs (Monitoring Metrics Publisher).'
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles.monitoringMetricsPublisher
    )
  }
}

resource actionGroup 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: '${namePrefix}-alerts'
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'agents'
    emailReceivers: empty(alertEmail)
      ? []
      : [
          {
            name: 'operators'
            emailAddress: alertEmail
            useCommonAlertSchema: true
          }
        ]
  }
}

module alerts '../monitoring/alerts.bicep' = {
  params: {
    applicationInsightsId: insights.id
    actionGroupId: actionGroup.id
    location: location
    namePrefix: namePrefix
    tags: tags
  }
}

module workbook '../monitoring/workbook.bicep' = {
  params: {
    applicationInsightsId: insights.id
    location: location
    displayName: namePrefix
    tags: tags
  }
}

output workspaceId string = workspace.id
output insightsId string = insights.id
output insightsName string = insights.name
output connectionString string = insights.properties.ConnectionString
