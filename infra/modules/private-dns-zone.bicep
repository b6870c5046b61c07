metadata name = 'Private DNS zone'
metadata description = 'Names of one service, as the virtual network resolves them.'

param zoneName string
param virtualNetworkId string
param tags object

resource zone 'Microsoft.Network/privateDnsZones@2024-06-01' = {
  name: zoneName
  location: 'global'
  tags: tags
}

resource link 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = {
  parent: zone
  name: 'agents'
  location: 'global'
  tags: tags
  properties: {
    registrationEnabled: false
    // Builds use other accounts of these services, too: a name that this zone lacks is asked of the public one.
    resolutionPolicy: 'NxDomainRedirect'
    virtualNetwork: {
      id: virtualNetworkId
    }
  }
}

output zoneId string = zone.id
