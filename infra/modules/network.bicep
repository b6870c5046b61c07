metadata name = 'Network'
metadata description = 'A virtual network of three subnets that nobody reaches from outside, and one known address to the outside.'

param namePrefix string
param location string
param tags object
param addressPrefix string
param nodesSubnetPrefix string
param appSubnetPrefix string
param endpointsSubnetPrefix string
param corporateAddressPrefixes string[]
param dnsServers string[]

resource natAddress 'Microsoft.Network/publicIPAddresses@2025-05-01' = {
  name: '${namePrefix}-nat-ip'
  location: location
  tags: tags
  sku: {
    name: 'Standard'
    tier: 'Regional'
  }
  properties: {
    publicIPAllocationMethod: 'Static'
    publicIPAddressVersion: 'IPv4'
  }
}

resource natGateway 'Microsoft.Network/natGateways@2025-05-01' = {
  name: '${namePrefix}-nat'
  location: location
  tags: tags
  sku: {
    name: 'Standard'
  }
  properties: {
    // An agent that waits for its job holds a connection on which nothing is said for a minute and more.
    idleTimeoutInMinutes: 10
    publicIpAddresses: [
      {
        id: natAddress.id
      }
    ]
  }
}

// Each group ends with a rule that denies all, so that the platform's own rules, which allow all of the network, never hold.
var denyAllInbound = {
  name: 'DenyAllInbound'
  properties: {
    priority: 4096
    direction: 'Inbound'
    access: 'Deny'
    protocol: '*'
    sourceAddressPrefix: '*'
    sourcePortRange: '*'
    destinationAddressPrefix: '*'
    destinationPortRange: '*'
  }
}

var denyAllOutbound = {
  name: 'DenyAllOutbound'
  properties: {
    priority: 4096
    direction: 'Outbound'
    access: 'Deny'
    protocol: '*'
    sourceAddressPrefix: '*'
    sourcePortRange: '*'
    destinationAddressPrefix: '*'
    destinationPortRange: '*'
  }
}

// What nodes and app both need: our own services, and Azure DevOps, sign-in and telemetry, whose addresses are the world's.
var commonOutbound = [
  {
    name: 'AllowPrivateEndpointsOutbound'
    properties: {
      priority: 100
      direction: 'Outbound'
      access: 'Allow'
      protocol: 'Tcp'
      sourceAddressPrefix: '*'
      sourcePortRange: '*'
      destinationAddressPrefix: endpointsSubnetPrefix
      destinationPortRange: '443'
    }
  }
  {
    name: 'AllowHttpsOutbound'
    properties: {
      priority: 110
      direction: 'Outbound'
      access: 'Allow'
      protocol: 'Tcp'
      sourceAddressPrefix: '*'
      sourcePortRange: '*'
      destinationAddressPrefix: 'Internet'
      destinationPortRange: '443'
    }
  }
]

var dnsOutbound = empty(dnsServers)
  ? []
  : [
      {
        name: 'AllowDnsOutbound'
        properties: {
          priority: 120
          direction: 'Outbound'
          access: 'Allow'
          protocol: '*'
          sourceAddressPrefix: '*'
          sourcePortRange: '*'
          destinationAddressPrefixes: dnsServers
          destinationPortRange: '53'
        }
      }
    ]

var corporateOutbound = empty(corporateAddressPrefixes)
  ? []
  : [
      {
        name: 'AllowCorporateNetworkOutbound'
        properties: {
          priority: 130
          direction: 'Outbound'
          access: 'Allow'
          protocol: '*'
          sourceAddressPrefix: '*'
          sourcePortRange: '*'
          destinationAddressPrefixes: corporateAddressPrefixes
          destinationPortRange: '*'
        }
      }
    ]

var corporateToEndpoints = empty(corporateAddressPrefixes)
  ? []
  : [
      {
        name: 'AllowCorporateNetworkInbound'
        properties: {
          priority: 110
          direction: 'Inbound'
          access: 'Allow'
          protocol: 'Tcp'
          sourceAddressPrefixes: corporateAddressPrefixes
          sourcePortRange: '*'
          destinationAddressPrefix: endpointsSubnetPrefix
          destinationPortRange: '443'
        }
      }
    ]

resource nodesGroup 'Microsoft.Network/networkSecurityGroups@2025-05-01' = {
  name: '${namePrefix}-nodes-nsg'
  location: location
  tags: tags
  properties: {
    securityRules: concat(commonOutbound, dnsOutbound, corporateOutbound, [denyAllInbound, denyAllOutbound])
  }
}

resource appGroup 'Microsoft.Network/networkSecurityGroups@2025-05-01' = {
  name: '${namePrefix}-app-nsg'
  location: location
  tags: tags
  properties: {
    securityRules: concat(commonOutbound, dnsOutbound, corporateOutbound, [denyAllInbound, denyAllOutbound])
  }
}

resource endpointsGroup 'Microsoft.Network/networkSecurityGroups@2025-05-01' = {
  name: '${namePrefix}-endpoints-nsg'
  location: location
  tags: tags
  properties: {
    securityRules: concat(
      [
        {
          name: 'AllowNodesAndAppInbound'
          properties: {
            priority: 100
            direction: 'Inbound'
            access: 'Allow'
            protocol: 'Tcp'
            sourceAddressPrefixes: [nodesSubnetPrefix, appSubnetPrefix]
            sourcePortRange: '*'
            destinationAddressPrefix: endpointsSubnetPrefix
            destinationPortRange: '443'
          }
        }
      ],
      corporateToEndpoints,
      [denyAllInbound, denyAllOutbound]
    )
  }
}

resource virtualNetwork 'Microsoft.Network/virtualNetworks@2025-05-01' = {
  name: '${namePrefix}-vnet'
  location: location
  tags: tags
  properties: {
    addressSpace: {
      addressPrefixes: [addressPrefix]
    }
    dhcpOptions: {
      dnsServers: dnsServers
    }
    // Here and not as resources of their own: a second deployment would else take away subnets that it does not see.
    subnets: [
      {
        name: 'nodes'
        properties: {
          addressPrefix: nodesSubnetPrefix
          defaultOutboundAccess: false
          natGateway: {
            id: natGateway.id
          }
          networkSecurityGroup: {
            id: nodesGroup.id
          }
        }
      }
      {
        name: 'app'
        properties: {
          addressPrefix: appSubnetPrefix
          defaultOutboundAccess: false
          natGateway: {
            id: natGateway.id
          }
          networkSecurityGroup: {
            id: appGroup.id
          }
          // What Flex Consumption runs in.
          delegations: [
            {
              name: 'functions'
              properties: {
                serviceName: 'Microsoft.App/environments'
              }
            }
          ]
        }
      }
      {
        name: 'endpoints'
        properties: {
          addressPrefix: endpointsSubnetPrefix
          defaultOutboundAccess: false
          networkSecurityGroup: {
            id: endpointsGroup.id
          }
          // Without this the group would not hold for private endpoints.
          privateEndpointNetworkPolicies: 'Enabled'
        }
      }
    ]
  }
}

output virtualNetworkId string = virtualNetwork.id
output virtualNetworkName string = virtualNetwork.name
output nodesSubnetId string = '${virtualNetwork.id}/subnets/nodes'
output appSubnetId string = '${virtualNetwork.id}/subnets/app'
output endpointsSubnetId string = '${virtualNetwork.id}/subnets/endpoints'
output natAddress string = natAddress.properties.ipAddress
