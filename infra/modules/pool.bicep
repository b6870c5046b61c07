metadata name = 'Batch pool'
metadata description = 'Nodes of one kind of agents: without a public address, with images prefetched, as many as their agents need.'

import { poolType } from 'types.bicep'

param accountName string
param pool poolType
param subnetId string

@description('Resource id of the identity of the nodes.')
param nodesIdentityId string

@description('Host name of the registry.')
param registryServer string

// The formula's defaults, then this pool's own values, then the logic: of two assignments the later one holds.
var endOfParameters = '// End of the parameters.'
var formulaParts = split(loadTextContent('../autoscale/agents.formula'), endOfParameters)
var ownParameters = union({ slotsPerAgent: pool.?slots ?? 1 }, pool.?autoScale ?? {})
var ownLines = join(map(items(ownParameters), parameter => '${parameter.key} = ${parameter.value};'), '\n')

resource account 'Microsoft.Batch/batchAccounts@2025-06-01' existing = {
  name: accountName
}

resource batchPool 'Microsoft.Batch/batchAccounts/pools@2025-06-01' = {
  parent: account
  name: '${pool.name}-${pool.version}'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${nodesIdentityId}': {}
    }
  }
  properties: {
    displayName: 'Agents of profile ${pool.name}'
    vmSize: pool.vmSize
    taskSlotsPerNode: pool.taskSlotsPerNode
    // Fills a node before the next, so that others come to be empty and can go.
    taskSchedulingPolicy: {
      nodeFillType: 'Pack'
    }
    interNodeCommunication: 'Disabled'
    deploymentConfiguration: {
      virtualMachineConfiguration: {
        imageReference: pool.nodeImage
        nodeAgentSkuId: pool.nodeAgentSku
        osDisk: contains(pool, 'osDiskSizeGB')
          ? {
              diskSizeGB: pool.?osDiskSizeGB
            }
          : null
        containerConfiguration: {
          type: 'DockerCompatible'
          containerImageNames: map(pool.?prefetchImages ?? [pool.image], image => '${registryServer}/${image}')
          containerRegistries: [
            {
              registryServer: registryServer
              identityReference: {
                resourceId: nodesIdentityId
              }
            }
          ]
        }
      }
    }
    networkConfiguration: {
      subnetId: subnetId
      dynamicVnetAssignmentScope: 'none'
      publicIPAddressConfiguration: {
        provision: 'NoPublicIPAddresses'
      }
    }
    scaleSettings: {
      autoScale: {
        evaluationInterval: 'PT5M'
        formula: '${first(formulaParts)}// This pool:\n${ownLines}\n${endOfParameters}${last(formulaParts)}'
      }
    }
  }
}

output poolName string = batchPool.name
