metadata name = 'Workbook of azdo-batch-agents'
metadata description = 'What waits, how long agents take, how requests end, and the trace of one request.'

@description('Resource id of the Application Insights resource that the app sends its telemetry to.')
param applicationInsightsId string

@description('Region of the workbook.')
param location string = resourceGroup().location

param displayName string = 'azdo-batch-agents'

param tags object = {}

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  // A workbook is named by a GUID; made of these, a second deployment updates the first.
  name: guid(resourceGroup().id, applicationInsightsId, displayName)
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: displayName
    category: 'workbook'
    sourceId: applicationInsightsId
    serializedData: loadTextContent('workbook.json')
    version: '1.0'
  }
}

output workbookId string = workbook.id
