/** https://www.w3.org/TR/trace-context/: version, trace id, span id, flags; later versions may append to that. */
const pattern = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-|$)/;
const length = 55;

/**
 * Reads a `traceparent`, as a header, a message or a row carries it.
 *
 * @returns the part that everybody understands; undefined for one that is malformed, which the standard says to
 *   take for none: no request is refused for the sake of its trace.
 */
export const readTraceparent = (text: string | null | undefined): string | undefined =>
  text !== null && text !== undefined && pattern.test(text) ? text.slice(0, length) : undefined;
