/**
 * The version of the HTTP API, by the rules of Semantic Versioning; the package has its own.
 *
 * - Major: callers may have to change. A route, field, parameter, code or header goes or means something else, a limit
 *   gets tighter, something optional is demanded.
 * - Minor: callers go on as they are. A new route, an optional parameter or field of a body, a field of an answer, a value
 *   of an answer's enumeration, a problem code for what was not possible before.
 * - Patch: words and examples.
 */
export const apiVersion = '1.0.0';

/**
 * The `version` that every queue message, letter and reply belongs to. A whole number, because a message of another one is
 * refused: it rises only when a sender has to change, and the versions before it are read on.
 */
export const messageVersion = 1;
