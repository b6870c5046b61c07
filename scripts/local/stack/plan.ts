export const partNames = ['storage', 'devops', 'batch', 'host'] as const;
/** In the order of start: each needs those before it. */
export type PartName = (typeof partNames)[number];

/** Settings of the app by name, e.g. the values of local.settings.json. */
export type Settings = Readonly<Record<string, string | undefined>>;

/** The settings of the real services, of which any one tells that its stand-in is not wanted. */
const signsOfReality: Record<Exclude<PartName, 'host'>, readonly string[]> = {
  storage: [
    'AzureWebJobsStorage',
    'AzureWebJobsStorage__accountName',
    'AzureWebJobsStorage__queueServiceUri',
    'AzureWebJobsStorage__tableServiceUri',
  ],
  batch: ['BatchAccountUrl'],
  devops: ['AzDOUrl'],
};

const isReal = (value: string | undefined): boolean =>
  value !== undefined && value !== '' && !/^UseDevelopmentStorage=true;?$/i.test(value.trim());

/** The parts to start: the host, and a stand-in for each service whose real address no setting gives. */
export function neededParts(settings: Settings): PartName[] {
  return partNames.filter(
    name => name === 'host' || !signsOfReality[name].some(setting => isReal(settings[setting])),
  );
}
