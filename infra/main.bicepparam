// What `azd up`, `npm run deploy` and `az deployment group create --parameters infra/main.bicepparam` take. A value for one
// environment is a variable (`azd env set AZDO_URL …`, or of the shell); what holds for all of them is written here.
using 'main.bicep'

param appName = readEnvironmentVariable('APP_NAME', 'agents')
param environmentName = readEnvironmentVariable('AZURE_ENV_NAME', 'prod')

param azDOUrl = readEnvironmentVariable('AZDO_URL')
param azDOToken = readEnvironmentVariable('AZDO_TOKEN', '')
param callbackTokenKey = readEnvironmentVariable('CALLBACK_TOKEN_KEY')
param otlpHeaders = readEnvironmentVariable('OTLP_HEADERS', '')

// Separated by commas: 203.0.113.7/32,198.51.100.0/24
var allowed = readEnvironmentVariable('ALLOWED_ADDRESSES', '')
var corporate = readEnvironmentVariable('CORPORATE_ADDRESS_PREFIXES', '')
var dns = readEnvironmentVariable('DNS_SERVERS', '')
param allowedAddresses = empty(allowed) ? [] : split(allowed, ',')
param corporateAddressPrefixes = empty(corporate) ? [] : split(corporate, ',')
param dnsServers = empty(dns) ? [] : split(dns, ',')

param alertEmail = readEnvironmentVariable('ALERT_EMAIL', '')

var ubuntu = {
  name: 'ubuntu'
  version: 'v1'
  devOpsPool: readEnvironmentVariable('AZDO_UBUNTU_POOL', 'Private Ubuntu')
  image: 'azdo-agent:ubuntu-24.04-azdo'
  os: 'linux'
  vmSize: 'Standard_D4s_v5'
  nodeImage: {
    publisher: 'microsoft-dsvm'
    offer: 'ubuntu-hpc'
    sku: '2404'
    version: 'latest'
  }
  nodeAgentSku: 'batch.node.ubuntu 24.04'
  taskSlotsPerNode: 4
  // Four builds share it, and a large agent image.
  osDiskSizeGB: 128
  autoScale: {
    maxLowPriorityNodes: 4
    maxDedicatedNodes: 2
  }
}

// The Marketplace has no Windows image with a container runtime any more: name one of your own in a Compute Gallery, and there
// are Windows agents.
var windowsNodeImage = readEnvironmentVariable('WINDOWS_NODE_IMAGE_ID', '')
var windows = {
  name: 'windows'
  version: 'v1'
  devOpsPool: readEnvironmentVariable('AZDO_WINDOWS_POOL', 'Private Windows')
  image: 'azdo-agent:windows-core-ltsc2022-azdo'
  os: 'windows'
  vmSize: 'Standard_D4s_v5'
  nodeImage: {
    id: windowsNodeImage
  }
  nodeAgentSku: 'batch.node.windows amd64'
  taskSlotsPerNode: 2
  osDiskSizeGB: 256
  autoScale: {
    maxLowPriorityNodes: 4
    maxDedicatedNodes: 2
    holdMinutes: 30
  }
  // Containers on Windows often can not reach the identity of their node.
  agentAuth: empty(readEnvironmentVariable('AZDO_TOKEN', '')) ? 'identity' : 'token'
  limits: {
    timeoutMinutes: 45
  }
}

param pools = empty(windowsNodeImage) ? [ubuntu] : [ubuntu, windows]
param deployPools = bool(readEnvironmentVariable('DEPLOY_POOLS', 'true'))
