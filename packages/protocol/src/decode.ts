import { FusewireError } from './errors.ts'
import { CLIENT_MESSAGES, type ClientMessage } from './messages/client-message.ts'
import { SERVER_MESSAGES, type ServerMessage } from './messages/server-message.ts'
import { isObject, type Schema } from './schema.ts'

/** A message that could be read but not accepted; `id` is the request's, where it could be read. */
export class MessageError extends FusewireError {
  override readonly name = 'MessageError'
  readonly id: number | undefined

  constructor(
    code: 'malformed_message' | 'message_too_deep' | 'message_too_large' | 'unknown_type' | 'invalid_field',
    message: string,
    id?: number,
  ) {
    super(code, message)
    this.id = id
  }
}

/** True when arrays and objects are nested deeper than `maxDepth` (1: no nesting inside the message). Goes no deeper than that. */
const isDeeperThan = (value: unknown, maxDepth: number): boolean => {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return false
  if (maxDepth === 0) return true
  if (Array.isArray(value)) return value.some((item) => isDeeperThan(item, maxDepth - 1))
  for (const key in value) if (isDeeperThan((value as Record<string, unknown>)[key], maxDepth - 1)) return true
  return false
}

const accept = (value: unknown, schemas: Readonly<Record<string, Schema<unknown>>>, maxDepth?: number): unknown => {
  if (!isObject(value)) throw new MessageError('malformed_message', 'a message is an object with a "type"')
  const { id: number, type: given } = value
  const id = typeof number === 'number' && Number.isSafeInteger(number) && number >= 0 ? number : undefined
  if (typeof given !== 'string') throw new MessageError('invalid_field', 'type must be a string', id)
  const type = given.toLowerCase()
  const schema = Object.hasOwn(schemas, type) ? schemas[type] : undefined
  if (!schema) throw new MessageError('unknown_type', `unknown message type ${JSON.stringify(given.slice(0, 64))}`, id)
  if (type !== given) value.type = type
  const wrong = schema.check(value, '')
  if (wrong) throw new MessageError('invalid_field', `${type}: ${wrong}`, id)
  if (maxDepth !== undefined && isDeeperThan(value, maxDepth))
    throw new MessageError('message_too_deep', `nested deeper than ${maxDepth}`, id)
  return value
}

/**
 * Checks a value against the messages that a client may send. The type is read without regard to case.
 * @throws {@link MessageError}
 */
export const acceptClientMessage = (value: unknown, maxDepth: number): ClientMessage =>
  accept(value, CLIENT_MESSAGES, maxDepth) as ClientMessage

/**
 * Checks a value against the messages that a server may send. Unlike the server, a client does not look at the depth of what it is
 * sent: nothing here goes down into it.
 * @throws {@link MessageError}
 */
export const acceptServerMessage = (value: unknown): ServerMessage => accept(value, SERVER_MESSAGES) as ServerMessage
