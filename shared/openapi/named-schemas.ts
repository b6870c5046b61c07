import * as z from 'zod';
import {
  deadLetterPageSchema,
  deadLetterResultsSchema,
  shownDeadLetterSchema,
} from '../answers/dead-letters.js';
import { diagnosisSchema } from '../answers/diagnosis.js';
import { healthSchema } from '../answers/health.js';
import { helpEntrySchema, helpSchema } from '../answers/help.js';
import { overviewSchema } from '../answers/overview.js';
import {
  placeholderResultsSchema,
  placeholdersBodySchema,
  placeholdersSchema,
} from '../answers/placeholders.js';
import { poolSchema, poolsSchema } from '../answers/pools.js';
import {
  eventSchema,
  eventsSchema,
  failureSchema,
  historyEntrySchema,
  requestPageSchema,
  shownRequestSchema,
} from '../answers/request.js';
import { requestBodySchema } from '../input/request-body.js';
import { purgeBodySchema, redriveBodySchema } from '../input/settle-body.js';

/**
 * What has a name of its own in the documents, and so in clients that are generated from them. Names are given here, not
 * where the schemas are: only documents need them, and whoever makes one imports this file.
 */
const schemas = {
  AgentRequestBody: requestBodySchema,
  AgentRequest: shownRequestSchema,
  AgentRequestPage: requestPageSchema,
  Failure: failureSchema,
  HistoryEntry: historyEntrySchema,
  DeadLetter: shownDeadLetterSchema,
  DeadLetterPage: deadLetterPageSchema,
  DeadLetterResults: deadLetterResultsSchema,
  RedriveBody: redriveBodySchema,
  PurgeBody: purgeBodySchema,
  Pool: poolSchema,
  Pools: poolsSchema,
  Overview: overviewSchema,
  Event: eventSchema,
  Events: eventsSchema,
  Placeholders: placeholdersSchema,
  PlaceholdersBody: placeholdersBodySchema,
  PlaceholderResults: placeholderResultsSchema,
  Diagnosis: diagnosisSchema,
  Health: healthSchema,
  HelpEntry: helpEntrySchema,
  Help: helpSchema,
};

for (const [id, schema] of Object.entries(schemas)) {
  z.globalRegistry.add(schema, { ...z.globalRegistry.get(schema), id });
}
