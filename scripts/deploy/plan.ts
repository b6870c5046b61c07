/** What is to be deployed, and how far. */
export interface Plan {
  /** Show what would change, and change nothing. */
  readonly whatIf: boolean;
  readonly infra: boolean;
  readonly app: boolean;
  readonly resourceGroup: string | undefined;
  /** Where the resource group is made when it is missing. */
  readonly location: string | undefined;
  /** A file of parameters, as Azure Resource Manager takes them. */
  readonly parameters: string | undefined;
  /** Of azd. */
  readonly environment: string | undefined;
  readonly zip: string;
}

/** The service of azure.yaml, and the tag of the app in Azure. */
export const serviceName = 'app';

/** One of Azure's command lines as a way to deploy. */
export interface Way {
  /** What keeps it from deploying that the plan itself shows, a sentence each. */
  misfits(): readonly string[];
  /** What keeps it from deploying that Azure knows, a sentence each. */
  obstacles(): Promise<readonly string[]>;
  /** The commands that would be run, as they would be typed. */
  commands(): readonly string[];
  deploy(): Promise<void>;
}
