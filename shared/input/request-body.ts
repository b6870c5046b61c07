import * as z from 'zod';
import { isReservedCapability } from '../domain/capability-name.js';
import { requestIdPattern } from '../domain/names.js';

const kibi = 1024;
export const bodyLimitBytes = 64 * kibi;

/** Half a character is none: it can be carried in JSON and in nothing else on the way, and would arrive as another. */
const isText = (text: string): boolean => !/\p{Surrogate}/u.test(text);
const notText = 'must be text: half of a character is in it';

/**
 * What is said of the fields beside their rules goes into the OpenAPI document and the JSON Schema of the message, which
 * are made of these schemas; rules that JSON Schema can't say are told there in words.
 */
const capabilityName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_.]{0,127}$/, 'must be an environment variable name of at most 128 characters')
  .refine(name => !isReservedCapability(name), 'is a reserved name');

/** Agents take a longer environment variable for no capability. */
const capabilityValue = z
  .string()
  .max(1_023, 'must be at most 1023 characters')
  // oxlint-disable-next-line no-control-regex -- control characters are what it looks for
  .regex(/^[^\u0000-\u001f\u007f]*$/, 'must not contain control characters')
  .refine(isText, notText);

const utf8Bytes = new TextEncoder();

/** In bytes: a queue takes no message over 64 KiB, and there a character may have three. */
const together =
  (limit: number) =>
  (map: Record<string, string>): boolean =>
    utf8Bytes.encode(JSON.stringify(map)).length <= limit;

const mostCapabilities = 64;
const mostTags = 32;

/** What a caller may say, in an HTTP body and in a queue message alike. */
const requestFields = {
  profile: z
    .string()
    .min(1)
    .max(64)
    .meta({ description: 'Which configured kind of agent; without it the first one.', examples: ['ubuntu'] })
    .optional(),
  requestId: z
    .string()
    .regex(requestIdPattern, 'must be 1 to 40 of a-z, 0-9 and "-", and start with a letter or digit')
    .meta({
      description:
        'The idempotency key of the caller: a repeat under it starts nothing. Without one it is derived from the ' +
        'headers of the pipeline and `attempt`; without those it is random.',
      examples: ['nightly-42'],
    })
    .optional(),
  capabilities: z
    .record(capabilityName, capabilityValue)
    .refine(
      map => Object.keys(map).length <= mostCapabilities,
      `must be at most ${mostCapabilities} capabilities`,
    )
    .refine(together(16 * kibi), 'must be at most 16 KiB together')
    .meta({
      description:
        'Given to the container of the agent as environment variables, so that a job can demand them. Together at ' +
        'most 16 KiB as JSON in UTF-8. Names that steer the container itself (`PATH`, `AZDO_…`, `LD_…` and their like) ' +
        'are reserved, in any case. Values must be well-formed Unicode.',
      examples: [{ AGENT_FOR: '4711' }],
      maxProperties: mostCapabilities,
    })
    .optional(),
  timeoutMinutes: z
    .number()
    .min(1)
    .max(120)
    .meta({
      description:
        'Give up provisioning after this long: over all attempts, counted from its beginning and not while the request ' +
        'waits for a free place. Without it: what the profile says.',
      examples: [30],
    })
    .optional(),
  attempt: z
    .string()
    .max(256)
    .refine(isText, notText)
    .meta({
      description:
        'Free text that tells a re-run from a repeated delivery, e.g. `$(System.StageAttempt).$(System.JobAttempt)`. ' +
        'Must be well-formed Unicode.',
      examples: ['1.1'],
    })
    .optional(),
  callback: z
    .boolean()
    .meta({
      description:
        '`true`: the pipeline waits (`waitForCompletion: "true"`), which takes its headers; `false`: it does not. ' +
        'Default: `true` with the headers of a pipeline, `false` without them, and with the body or the route of the article.',
      examples: [true],
    })
    .optional(),
  tags: z
    .record(z.string().min(1).max(64).refine(isText, notText), z.string().max(512).refine(isText, notText))
    .refine(map => Object.keys(map).length <= mostTags, `must be at most ${mostTags} tags`)
    .refine(together(8 * kibi), 'must be at most 8 KiB together')
    .meta({
      description:
        'Kept with the request and shown, never interpreted. Together at most 8 KiB as JSON in UTF-8. Names and values ' +
        'must be well-formed Unicode.',
      examples: [{ team: 'payments', build: '4711' }],
      maxProperties: mostTags,
    })
    .optional(),
  AgentOSType: z
    .string()
    .max(64)
    .nullish()
    .meta({ description: 'As in the article: stands for a profile.', examples: ['ubuntu-24.04'] }),
  AgentBuildType: z
    .string()
    .regex(/^[A-Za-z0-9._-]{0,40}$/, 'must be at most 40 of A-Z, a-z, 0-9, ".", "_" and "-"')
    .nullish()
    .meta({ description: 'As in the article: stands for a tag of the image.', examples: ['azdo'] }),
};

export const requestBodySchema = z.strictObject(requestFields);
export type RequestBody = z.infer<typeof requestBodySchema>;

const traceparent = z
  .string()
  .max(512)
  .meta({
    description:
      'W3C Trace Context: the trace that the request belongs to. One that is malformed is taken for none.',
    examples: ['00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'],
  })
  .optional();

const messageFields = {
  ...requestFields,
  traceparent,
  replyQueue: z
    .string()
    .min(3)
    .max(63)
    .meta({
      description:
        'The queue that gets the request as it is shown, when its agent is online and at every end. It must be one of ' +
        'the setting `ReplyQueues`.',
      examples: ['agent-replies'],
    })
    .optional(),
};
const version = z.literal(1, 'must be 1: this is the only version of the message known here');

export const queueMessageSchema = z.strictObject({ version, ...messageFields });
export type QueueMessage = z.infer<typeof queueMessageSchema>;

/**
 * Several messages of our own intake in one. What is in it is a message each, whose request is in the table already:
 * so it has an id, and nobody to be answered on a queue.
 */
export const bundleSchema = z.strictObject({ version, requests: z.array(z.unknown()).min(1).max(100) });
export const bundledMessageSchema = z.strictObject({
  version,
  ...requestFields,
  traceparent,
  requestId: requestFields.requestId.unwrap(),
});
export type BundledMessage = z.infer<typeof bundledMessageSchema>;

/** What else is checked of a text; each by itself, so that one that is wrong hides nothing of the others. */
export const readableSchema = z.object({
  profile: messageFields.profile.catch(undefined),
  requestId: messageFields.requestId.catch(undefined),
  callback: messageFields.callback.catch(undefined),
  replyQueue: messageFields.replyQueue.catch(undefined),
  traceparent: messageFields.traceparent.catch(undefined),
  AgentOSType: messageFields.AgentOSType.catch(undefined),
  AgentBuildType: messageFields.AgentBuildType.catch(undefined),
});
/** The fields that are right by themselves in a text that is wrong elsewhere. */
export type Readable = z.infer<typeof readableSchema>;
