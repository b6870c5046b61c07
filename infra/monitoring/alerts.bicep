metadata name = 'Alert rules of azdo-batch-agents'
metadata description = 'Tells the action group when requests wait too long, are given up or are not watched, and when a service throttles us. Each rule asks the query of its name in the folder queries.'

@description('Resource id of the Application Insights resource that the app sends its telemetry to.')
param applicationInsightsId string

@description('Resource id of the action group that is told.')
param actionGroupId string

@description('Region of the rules: that of the Application Insights resource.')
param location string = resourceGroup().location

@description('What the names of the rules begin with; they must differ within a resource group.')
param namePrefix string = 'azdo-batch-agents'

param tags object = {}

@description('How often the rules ask. Each minute costs more than each five.')
@allowed(['PT1M', 'PT5M'])
param evaluationFrequency string = 'PT1M'

var rules = [
  {
    name: 'oldest-waiting'
    title: 'A request has waited for its agent for more than 5 minutes'
    query: loadTextContent('queries/alert-oldest-waiting.kql')
    dimension: 'pool'
    window: 'PT5M'
    severity: 2
  }
  {
    name: 'dead-letters'
    title: 'A request was given up'
    query: loadTextContent('queries/alert-dead-letters.kql')
    dimension: 'code'
    window: 'PT5M'
    severity: 1
  }
  {
    name: 'throttled'
    title: 'A service asks us to call less often'
    query: loadTextContent('queries/alert-throttled.kql')
    dimension: 'service'
    window: 'PT10M'
    severity: 3
  }
  {
    name: 'no-watch'
    title: 'A pool with requests was not looked at for 2 minutes'
    query: loadTextContent('queries/alert-no-watch.kql')
    dimension: 'pool'
    window: 'PT10M'
    severity: 1
  }
]

resource alerts 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [
  for rule in rules: {
    name: '${namePrefix}-${rule.name}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: '${namePrefix}: ${rule.title}'
      description: '${rule.title}. See telemetry.md of the product for what to look at.'
      enabled: true
      severity: rule.severity
      scopes: [applicationInsightsId]
      evaluationFrequency: evaluationFrequency
      windowSize: rule.window
      autoMitigate: true
      criteria: {
        allOf: [
          {
            query: rule.query
            timeAggregation: 'Count'
            operator: 'GreaterThan'
            threshold: 0
            dimensions: [
              {
                name: rule.dimension
                operator: 'Include'
                values: ['*']
              }
            ]
            failingPeriods: {
              numberOfEvaluationPeriods: 1
              minFailingPeriodsToAlert: 1
            }
          }
        ]
      }
      actions: {
        actionGroups: [actionGroupId]
      }
    }
  }
]

output alertIds array = [for (rule, index) in rules: alerts[index].id]
