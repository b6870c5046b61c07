import * as z from 'zod';
import { requestIdPattern } from '../domain/names.js';

const idsAtOnce = 200;
const requestIds = z
  .array(
    z
      .string()
      .regex(requestIdPattern, 'must be 1 to 40 of a-z, 0-9 and "-", and start with a letter or digit'),
  )
  .min(1, 'must name at least one request')
  .max(idsAtOnce, `must name at most ${idsAtOnce} requests`);

/** Body of `POST deadletters/purge`. */
export const purgeBodySchema = z.strictObject({ requestIds });
/** Body of `POST deadletters/redrive`. */
export const redriveBodySchema = z.strictObject({
  requestIds,
  dryRun: z.boolean().describe('Only tell what would become of each.').optional(),
});
