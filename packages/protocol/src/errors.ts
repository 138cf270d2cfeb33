/**
 * Everything that can go wrong, once: what it is called, how a connection is closed for it, how HTTP answers, whether
 * trying again can help, and what to do. Programs branch on `code`, never on text. `docs/errors.md` is generated from it.
 *
 * The range of a close code tells the client what to do (see {@link closeAction}):
 * 4000-4099 reconnect, 4100-4199 get a new token, 4200-4299 stop.
 */
export interface ErrorEntry {
  /** Sent when the error ends the connection: WebSocket close code and `disconnect.code`. */
  readonly closeCode?: number
  readonly httpStatus: number
  /** True when the same request can succeed later, unchanged. */
  readonly retryable: boolean
  readonly help: string
}

export const ERRORS = {
  closed: { closeCode: 1000, httpStatus: 410, retryable: false, help: 'The client has left for good with disconnect.' },

  // Reconnect, with back-off.
  internal_error: {
    closeCode: 4000,
    httpStatus: 500,
    retryable: true,
    help: 'The server failed; its log has the cause. Try again later.',
  },
  server_draining: {
    closeCode: 4001,
    httpStatus: 503,
    retryable: true,
    help: 'This node is leaving. Reconnect, after the given time if there is one; what was missed follows.',
  },
  slow_consumer: {
    closeCode: 4002,
    httpStatus: 503,
    retryable: true,
    help: 'The client reads slower than its channels publish and passed maxBufferedBytes. Reconnect and recover.',
  },
  heartbeat_timeout: {
    closeCode: 4003,
    httpStatus: 408,
    retryable: true,
    help: 'Nothing came from the client for a heartbeat interval and its timeout. Send {"type":"ping"} in time.',
  },
  overloaded: {
    closeCode: 4004,
    httpStatus: 503,
    retryable: true,
    help: 'The server has no room for more work now: of this client, or for another one. Slow down and try again.',
  },
  rate_limited: {
    closeCode: 4005,
    httpStatus: 429,
    retryable: true,
    help: 'More came in a second than a limit such as messagesPerSecond or bytesPerSecond allows. Wait retryAfterMs, then go on.',
  },
  too_many_connections: {
    closeCode: 4006,
    httpStatus: 429,
    retryable: true,
    help: 'This address or user has maxConnectionsPerAddress or maxConnectionsPerUser connections. Close some, or try again later.',
  },

  // Authentication: get a new token, once.
  token_required: {
    closeCode: 4100,
    httpStatus: 401,
    retryable: false,
    help: 'Anonymous clients are not allowed here. Send a token in connect.',
  },
  token_invalid: {
    closeCode: 4101,
    httpStatus: 401,
    retryable: false,
    help: 'The token is malformed, forged, or meant for another audience. Ask your backend for a new one.',
  },
  token_expired: {
    closeCode: 4102,
    httpStatus: 401,
    retryable: false,
    help: 'The token has expired. Ask your backend for a new one and send it with refresh, or connect again.',
  },

  token_revoked: {
    closeCode: 4103,
    httpStatus: 401,
    retryable: false,
    help: 'The token, or all tokens of its user, have been revoked. Ask your backend for a new one.',
  },

  // Fatal: stop, the client or its configuration must change.
  malformed_message: {
    closeCode: 4200,
    httpStatus: 400,
    retryable: false,
    help: 'The bytes are not valid JSON or MessagePack of one message each. See spec/protocol.md.',
  },
  message_too_large: {
    closeCode: 4201,
    httpStatus: 413,
    retryable: false,
    help: 'One message passed maxMessageBytes. Send less, or raise the limit.',
  },
  message_too_deep: {
    closeCode: 4202,
    httpStatus: 400,
    retryable: false,
    help: 'Arrays and objects are nested deeper than maxDepth. Flatten the data.',
  },
  wrong_frame_type: {
    closeCode: 4203,
    httpStatus: 400,
    retryable: false,
    help: 'fusewire.v1.json speaks in text frames, fusewire.v1.msgpack in binary frames.',
  },
  connect_timeout: {
    closeCode: 4204,
    httpStatus: 408,
    retryable: false,
    help: 'The connection was opened but no message came within connectTimeoutMs. Send {"type":"connect"} first.',
  },
  session_replaced: {
    closeCode: 4205,
    httpStatus: 409,
    retryable: false,
    help: 'A newer connection has resumed this session. Do not reconnect from here.',
  },
  disconnected: { closeCode: 4206, httpStatus: 403, retryable: false, help: 'The application has disconnected this user.' },
  origin_not_allowed: {
    closeCode: 4207,
    httpStatus: 403,
    retryable: false,
    help: 'The page comes from an origin that is not listed. Add it to allowedOrigins.',
  },
  unsupported_transport: {
    closeCode: 4208,
    httpStatus: 404,
    retryable: false,
    help: 'This transport is turned off.',
  },
  connection_refused: {
    closeCode: 4209,
    httpStatus: 403,
    retryable: false,
    help: "The application's connect hook has refused this client.",
  },

  // Answers to a request; the connection stays.
  unknown_type: { httpStatus: 400, retryable: false, help: 'The message type is unknown. See spec/protocol.md for the list.' },
  invalid_field: { httpStatus: 400, retryable: false, help: 'A field is missing or has the wrong type; the message names it.' },
  not_connected: {
    httpStatus: 409,
    retryable: false,
    help: 'Only connect, ping and echo may come before connect has been answered.',
  },
  already_connected: {
    httpStatus: 409,
    retryable: false,
    help: 'connect was sent twice on one connection. To change the token, send refresh.',
  },
  permission_denied: {
    httpStatus: 403,
    retryable: false,
    help: "The channel's rule and the client's capabilities do not allow this.",
  },
  invalid_channel: {
    httpStatus: 400,
    retryable: false,
    help: 'A channel name has 1 to 255 characters, without white space or control characters.',
  },
  not_subscribed: { httpStatus: 409, retryable: false, help: 'The session has no subscription in this channel.' },
  too_many_channels: { httpStatus: 429, retryable: false, help: 'The session has reached maxChannelsPerSession.' },
  feature_disabled: {
    httpStatus: 409,
    retryable: false,
    help: "The channel's rule has this turned off (history, presence or state).",
  },
  method_not_found: { httpStatus: 404, retryable: false, help: 'No handler is registered for this rpc method.' },
  broker_unavailable: {
    httpStatus: 503,
    retryable: true,
    help: 'The broker cannot be reached; nothing was published. Try again later.',
  },
  timeout: {
    httpStatus: 504,
    retryable: true,
    help: 'No answer came in time. It is not known whether the request was carried out.',
  },
  unknown_connection: {
    httpStatus: 404,
    retryable: false,
    help: 'The connection that this request belongs to has ended. Open a new one and resume.',
  },
  out_of_sequence: {
    httpStatus: 409,
    retryable: false,
    help: 'The numbered request is too far ahead of the ones before it. Open a new connection and resume.',
  },
  malformed_request: {
    httpStatus: 400,
    retryable: false,
    help: 'The bytes are not a valid HTTP request or WebSocket handshake (RFC 9110, RFC 6455, RFC 8441).',
  },
  header_too_large: { httpStatus: 431, retryable: false, help: 'The headers of the request passed maxHeaderBytes. Send less.' },
  request_timeout: {
    httpStatus: 408,
    retryable: true,
    help: 'The headers of the request did not come within handshakeTimeoutMs, or its body not within five minutes.',
  },
  unsupported_subprotocol: {
    httpStatus: 400,
    retryable: false,
    help: 'Offer the WebSocket subprotocol fusewire.v1.json or fusewire.v1.msgpack, or none at all for JSON.',
  },
  api_key_required: { httpStatus: 401, retryable: false, help: 'Send Authorization: Bearer <API key>.' },
  api_key_invalid: { httpStatus: 401, retryable: false, help: 'The API key is unknown.' },
  not_found: { httpStatus: 404, retryable: false, help: 'There is nothing at this path, or no such session or user.' },
  method_not_allowed: { httpStatus: 405, retryable: false, help: 'This path does not take this HTTP method.' },
  conflict: {
    httpStatus: 409,
    retryable: false,
    help: 'The channel has moved on from ifPosition; nothing was published. Look at the document that comes along, and try again.',
  },
  document_too_large: {
    httpStatus: 413,
    retryable: false,
    help: "The document would pass its rule's maxDocumentBytes; nothing was published. Remove something, or raise the limit.",
  },
  hook_unavailable: {
    httpStatus: 503,
    retryable: true,
    help: "The application's backend could not be asked whether this is allowed. Try again later.",
  },
  idempotency_conflict: { httpStatus: 409, retryable: false, help: 'This idempotency key was used for another publication.' },
} as const satisfies Record<string, ErrorEntry>

export type ErrorCode = keyof typeof ERRORS

/** Codes that can end a connection. */
export type DisconnectCode = { [K in ErrorCode]: (typeof ERRORS)[K] extends { closeCode: number } ? K : never }[ErrorCode]

export const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(ERRORS, code)

/** What a client does after a close: `reconnect` with back-off, `authenticate` with a new token, or `stop`. */
export type CloseAction = 'reconnect' | 'authenticate' | 'stop'

/**
 * Reads a WebSocket close code (RFC 6455 section 7.4). Of the standard codes, those that say that the peer's bytes were
 * wrong (1002, 1003, 1007, 1008, 1009) stop; all others, an abnormal closure among them, are worth another try.
 */
export const closeAction = (closeCode: number): CloseAction => {
  if (closeCode >= 4100 && closeCode < 4200) return 'authenticate'
  if (closeCode >= 4200 && closeCode < 4300) return 'stop'
  return [1002, 1003, 1007, 1008, 1009].includes(closeCode) ? 'stop' : 'reconnect'
}

/** An error with a code of the table; `message` is for people. */
export class FusewireError extends Error {
  override readonly name: string = 'FusewireError'
  readonly code: ErrorCode
  /** When the same request can succeed, in milliseconds from now; undefined when nobody knows. */
  readonly retryAfterMs: number | undefined

  constructor(code: ErrorCode, message: string = ERRORS[code].help, options?: { cause?: unknown; retryAfterMs?: number }) {
    super(message, options)
    this.code = code
    this.retryAfterMs = options?.retryAfterMs
  }

  get retryable(): boolean {
    return ERRORS[this.code].retryable
  }
}
