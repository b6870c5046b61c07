import * as z from 'zod';
import { messageSchemas } from '../../shared/openapi/message-schemas.js';
import { closedSchema } from './closed-schema.js';

const schemas = messageSchemas();

/** @throws unless a message that the product sent is what its published JSON Schema says. */
export function mustBeMessage(
  file: 'agent-reply.schema.json' | 'dead-letter.schema.json',
  text: string,
): void {
  const checked = closedSchema({ ...schemas[file] }).safeParse(JSON.parse(text));
  if (!checked.success) throw new Error(`It is no ${file}: ${text}\n${z.prettifyError(checked.error)}`);
}
