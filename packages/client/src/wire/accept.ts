import type { ServerMessage } from '@fusewire/protocol'

/** The fields that the client relies on, by message type. The protocol's schemas say more, and weigh four times as much. */
const FIELDS: Record<ServerMessage['type'], string> = {
  open: 'connection',
  connected: 'session resume pingIntervalMs pongTimeoutMs sessionTtlMs expiresAt?',
  subscribed: 'channel position publications? expiresAt?',
  publication: 'channel offset',
  join: 'channel member',
  leave: 'channel member',
  unsubscribed: 'channel code? reason?',
  pong: 'id?',
  echo: 'id?',
  result: 'id?',
  error: 'code message retryable channel? retryAfterMs? position?',
  disconnect: 'code closeCode reason reconnect retryAfterMs?',
}

/** The same for fields that are objects, or arrays of them. */
const INNER: Record<string, string> = { position: 'epoch offset', publications: 'offset', member: 'session' }

/** The kinds of those that are no strings. */
const KINDS: Record<string, string> = {
  id: 'number',
  offset: 'number',
  closeCode: 'number',
  pingIntervalMs: 'number',
  pongTimeoutMs: 'number',
  sessionTtlMs: 'number',
  expiresAt: 'number',
  retryAfterMs: 'number',
  retryable: 'boolean',
  reconnect: 'boolean',
  position: 'object',
  member: 'object',
  publications: 'array',
}

/** Returns the path of what is missing or of another kind. */
const misfit = (value: unknown, fields: string, path: string): string | undefined => {
  if (typeof value !== 'object' || value === null) return path
  for (const field of fields.split(' ')) {
    const name = field.replace('?', '')
    const held = (value as Record<string, unknown>)[name]
    if (held === undefined && field !== name) continue
    if ((Array.isArray(held) ? 'array' : typeof held) !== (KINDS[name] ?? 'string')) return `${path}.${name}`
    const inner = INNER[name]
    if (!inner) continue
    for (const item of [held].flat()) {
      const wrong = misfit(item, inner, `${path}.${name}`)
      if (wrong) return wrong
    }
  }
  return undefined
}

/** Takes a decoded value for a message of the server. @throws TypeError that names what is wrong with it. */
export const accept = (value: unknown): ServerMessage => {
  const type = String((value as ServerMessage | null)?.type) as 'pong'
  const wrong = Object.hasOwn(FIELDS, type) ? misfit(value, FIELDS[type], type) : 'type'
  if (wrong) throw new TypeError(`${wrong} is missing or wrong`)
  return value as ServerMessage
}
