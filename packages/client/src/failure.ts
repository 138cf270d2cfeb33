import { type CloseAction, closeAction, type Disconnect, type ErrorMessage } from '@fusewire/protocol'
import { ClientError, type FailureKind } from './client-error.ts'

/** Why a connection failed or was lost. */
export class Failure extends ClientError {
  override readonly kind: FailureKind

  constructor(
    kind: FailureKind,
    code: string,
    message: string,
    options?: { retryAfterMs?: number | undefined; cause?: unknown },
  ) {
    super(code, message, { ...options, retryable: kind === 'transient' || kind === 'unreachable' })
    this.kind = kind
  }
}

const BY_ACTION: Record<CloseAction, FailureKind> = { reconnect: 'transient', authenticate: 'authentication', stop: 'fatal' }

/** Codes that mean another kind of failure than their close code or HTTP status would say. */
const BY_CODE: Partial<Record<string, FailureKind>> = {
  __proto__: null as never,
  // Another transport may be turned on.
  unsupported_transport: 'unreachable',
  not_found: 'unreachable',
  method_not_allowed: 'unreachable',
  // This client sends its connect at once: the line was slow, not the client wrong.
  connect_timeout: 'transient',
  // Nobody else holds this client's resume secret: an attempt that it gave up has reached the server late, and overtaken this one.
  session_replaced: 'transient',
  // Split transports: the node has forgotten the connection. A new one resumes the session.
  unknown_connection: 'transient',
  out_of_sequence: 'transient',
}

/** Undefined where the code does not decide. Whatever is wrong with a token, another one may be right. */
const kindOf = (code: string): FailureKind | undefined => (code.startsWith('token_') ? 'authentication' : BY_CODE[code])

/** Nothing was said: connection refused, name not found, TLS failed, line cut. */
export const lineFailure = (message: string, cause?: unknown): Failure =>
  new Failure('unreachable', 'unreachable', message, { cause })

/** The server ends the connection, or refuses the one being made. */
export const messageFailure = (
  message: Disconnect | (Omit<ErrorMessage, 'retryAfterMs'> & { retryAfterMs?: number | undefined }),
): Failure => {
  const { code, retryAfterMs } = message
  if (message.type === 'error') {
    return new Failure(kindOf(code) ?? (message.retryable ? 'transient' : 'fatal'), code, message.message, { retryAfterMs })
  }
  const kind = BY_ACTION[closeAction(message.closeCode)]
  return new Failure(kindOf(code) ?? (kind === 'fatal' && message.reconnect ? 'transient' : kind), code, message.reason || code, {
    retryAfterMs,
  })
}

/**
 * A WebSocket has closed without a `disconnect` message. Codes below 4000 come from the line, or from whoever stands in it:
 * those that blame the line (1002 among them: garbled on the way) make room for another transport.
 */
export const closeFailure = (closeCode: number, reason: string): Failure => {
  const kind = BY_ACTION[closeAction(closeCode)]
  const message = `closed (${closeCode}${reason && `, ${reason}`})`
  if (closeCode < 4000 && (kind === 'transient' || closeCode === 1002)) return lineFailure(message)
  const code = closeCode === 1009 ? 'message_too_large' : `close_${closeCode}`
  return new Failure(kind, code, message)
}

/** `{ "error": { code, message, retryable } }`, which every refusal of the server has as its body. */
const readRefusal = (body: string): ErrorMessage | undefined => {
  try {
    return JSON.parse(body).error
  } catch {
    return undefined
  }
}

const byStatus = (status: number): FailureKind => {
  if (status === 401) return 'authentication'
  if ([408, 425, 429, 500].includes(status)) return 'transient'
  // Anything else without our body is not our server: a gateway whose upstream is gone, a captive portal, a proxy that forbids.
  return 'unreachable'
}

/** An HTTP request was refused. `retryAfter` is the header's value, in seconds. */
export const httpFailure = (status: number, body: string, retryAfter: string | null): Failure => {
  const retryAfterMs = Number(retryAfter) * 1000 || undefined
  const refusal = readRefusal(body)
  if (refusal?.code) return messageFailure({ ...refusal, type: 'error', retryAfterMs })
  return new Failure(byStatus(status), `http_${status}`, `HTTP status ${status}`, { retryAfterMs })
}
