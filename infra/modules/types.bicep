metadata name = 'Types'
metadata description = 'Shapes of the parameters that are more than a text or a number.'

@export()
@sealed()
@description('One kind of agents: a profile of the app and the Batch pool that runs it.')
type poolType = {
  @description('Name of the profile, which pipelines ask for: 1 to 20 of a-z, 0-9 and "-". The Batch pool is called NAME-VERSION.')
  @minLength(1)
  @maxLength(20)
  name: string

  @description('Raise it with each change that Azure can not make to a pool that exists: VM size, node image, identity, network, slots, prefetched images. The deployment then makes a new pool beside the old one.')
  @minLength(1)
  @maxLength(20)
  version: string

  @description('false: the Batch pool is left as it is, and only the profile is written. Default true.')
  deploy: bool?

  @description('Agent pool of Azure DevOps that the agents register in.')
  @minLength(1)
  @maxLength(128)
  devOpsPool: string

  @description('Agent image, repository:tag, without the registry.')
  image: string

  @description('Operating system of the nodes and of the image.')
  os: 'linux' | 'windows'

  @description('Size of the nodes, e.g. Standard_D4s_v5.')
  vmSize: string

  @description('Image of the nodes: publisher, offer, sku and version of the Marketplace, or the id of an image in a Compute Gallery. It must bring a container runtime.')
  nodeImage: nodeImageType

  @description('The Batch node agent that goes with the image, e.g. "batch.node.ubuntu 24.04".')
  nodeAgentSku: string

  @description('Task slots of a node: so many agents of one slot share it. At most four a core.')
  @minValue(1)
  @maxValue(256)
  taskSlotsPerNode: int

  @description('Task slots that one agent takes. Default 1.')
  @minValue(1)
  @maxValue(256)
  slots: int?

  @description('Size of the node\'s disk in GB, for large images. Default: that of the image.')
  osDiskSizeGB: int?

  @description('Images that a node pulls when it starts, repository:tag without the registry. Default: the image of the profile.')
  prefetchImages: string[]?

  @description('Parameters of the autoscale formula; what is not given has the default that infra/autoscale/agents.formula says.')
  autoScale: autoScaleType?

  @description('identity (default): agents register with the identity of their node. token: they get the setting AzDOToken.')
  agentAuth: 'identity' | 'token'?

  @description('Further fields of the profile; what is not given has the default of the app.')
  limits: limitsType?
}

@export()
@sealed()
type nodeImageType = {
  publisher: string?
  offer: string?
  sku: string?
  version: string?
  @description('Resource id of an image version in a Compute Gallery, in place of the four others.')
  id: string?
}

@export()
@sealed()
@description('Spelt as the formula spells them. Its slotsPerAgent is the slots of the profile.')
type autoScaleType = {
  @description('Nodes that are kept when nobody builds.')
  @minValue(0)
  minNodes: int?

  @description('Nodes that are kept in office hours, Monday to Friday.')
  @minValue(0)
  officeNodes: int?

  @description('Hour of the day in UTC from which they are kept.')
  @minValue(0)
  @maxValue(24)
  officeFromHour: int?

  @description('Hour of the day in UTC until which.')
  @minValue(0)
  @maxValue(24)
  officeToHour: int?

  @description('Spot nodes at most.')
  @minValue(0)
  maxLowPriorityNodes: int?

  @description('Dedicated nodes at most: in place of Spot nodes that do not come, and beyond maxLowPriorityNodes if this is more.')
  @minValue(0)
  maxDedicatedNodes: int?

  @description('Minutes that nodes stay after the agents that they were for.')
  @minValue(0)
  holdMinutes: int?

  @description('Room for agents that nobody has asked for yet, in percent of those that are there.')
  @minValue(0)
  sparePercent: int?
}

@export()
@sealed()
type limitsType = {
  @minValue(1)
  maxAlive: int?
  @minValue(1)
  maxWaiting: int?
  @minValue(1)
  @maxValue(10)
  attempts: int?
  @minValue(1)
  @maxValue(120)
  timeoutMinutes: int?
  @minValue(1)
  @maxValue(1440)
  idleMinutes: int?
}

@export()
@sealed()
@description('Settings of the app that have a default, spelt as the app reads them.')
type settingsType = {
  AgentOSTypes: string?
  AllowedPlanHosts: string?
  WatchSeconds: string?
  ReplyQueues: string?
  BatchApiVersion: string?
  KeepPlaceholders: ('true' | 'false')?
  DashboardAuth: ('key' | 'easyAuth')?
  LogFormat: ('json' | 'text')?
  OTEL_EXPORTER_OTLP_ENDPOINT: string?
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: string?
  OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: string?
  OTEL_METRIC_EXPORT_INTERVAL: string?
  OTEL_SERVICE_NAME: string?
  OTEL_SDK_DISABLED: ('true' | 'false')?
}
