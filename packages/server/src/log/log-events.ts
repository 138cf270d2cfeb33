export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** One kind of line in the log. */
export interface LogEventNote {
  /** How much it matters to an operator. */
  readonly level: LogLevel
  readonly when: string
  /** What the line has besides its name; `err` is an error with its cause and stack, or its message alone. */
  readonly fields: readonly string[]
}

/** Lines that are about one thing. */
export interface LogEventGroup {
  readonly title: string
  readonly events: Readonly<Record<string, LogEventNote>>
}

const client = ['transport', 'remoteAddress'] as const

/** Every event that is logged. `docs/observability.md` is made from it, and a test looks for each of them in the code. */
export const LOG_EVENTS: readonly LogEventGroup[] = [
  {
    title: 'Start, leaving and files',
    events: {
      listening: {
        level: 'info',
        when: 'the server of a program can be reached from now on; the command says this and the next two by itself',
        fields: ['urls'],
      },
      development_mode: {
        level: 'warn',
        when: 'everyone who can reach the server may read and publish everything, without a token',
        fields: ['host'],
      },
      development_certificate: {
        level: 'warn',
        when: 'the certificate is one that the server has made itself: browsers warn of it, and other machines cannot trust it',
        fields: ['file'],
      },
      drain: {
        level: 'info',
        when: 'leaving takes its next step: announced, moving, ending, closed',
        fields: ['state', 'connections'],
      },
      snapshot_restored: {
        level: 'info',
        when: 'a snapshot was read at the start',
        fields: ['file', 'clean', 'channels', 'idempotencyKeys'],
      },
      snapshot_failed: {
        level: 'error',
        when: 'a snapshot could not be written; the last one stays',
        fields: ['file', 'err'],
      },
      certificate_reloaded: {
        level: 'info',
        when: 'new connections get another certificate from now on',
        fields: ['fingerprint', 'validTo'],
      },
      certificate_refused: {
        level: 'error',
        when: 'the new certificate files cannot be used; the old certificate stays',
        fields: ['err'],
      },
      keys_unavailable: { level: 'error', when: 'the keys at `jwksUrl` could not be fetched', fields: ['err'] },
    },
  },
  {
    title: 'The broker',
    events: {
      broker_away: {
        level: 'error',
        when: 'the broker cannot be reached any more; clients stay, and what they publish is refused until it is back',
        fields: ['broker', 'err'],
      },
      broker_back: { level: 'info', when: 'it can be reached again', fields: ['broker', 'awayMs'] },
      broker_evicts: {
        level: 'warn',
        when: 'Redis is set to drop keys when its memory is full (`maxmemory-policy`), and with them sessions and history: set it to `noeviction`',
        fields: ['broker'],
      },
      revocations_unread: {
        level: 'error',
        when: 'revocations of other nodes could not be read from the broker; it is tried again',
        fields: ['err'],
      },
    },
  },
  {
    title: 'Other nodes',
    events: {
      node_joined: { level: 'info', when: 'another node is known from now on', fields: ['node', 'host', 'version'] },
      node_left: {
        level: 'info',
        when: 'another node has gone: it has said so, or nothing for ten seconds (`silence`), or a new process has its name (`replaced`)',
        fields: ['node', 'host', 'reason'],
      },
      cluster_call_failed: {
        level: 'error',
        when: 'what another node has asked of this one has failed',
        fields: ['name', 'node', 'err'],
      },
      bus_close_failed: {
        level: 'warn',
        when: 'this node leaves, and could not take leave of the messages between nodes',
        fields: ['err'],
      },
    },
  },
  {
    title: 'Workers',
    events: {
      worker_started: { level: 'info', when: 'the process of a worker was started', fields: ['worker', 'pid'] },
      worker_ended: {
        level: 'error',
        when: 'a worker has ended that was not asked to; another one takes its place',
        fields: ['worker', 'pid', 'code', 'signal', 'servedMs', 'restartMs', 'err'],
      },
      worker_stalled: {
        level: 'error',
        when: 'a worker does not begin to serve, does not answer, or does not read what it is sent, and is ended',
        fields: ['worker', 'pid', 'reason'],
      },
      worker_left: {
        level: 'info',
        when: 'a worker has ended with its server',
        fields: ['worker', 'pid', 'code', 'signal'],
      },
    },
  },
  {
    title: 'Security and limits',
    events: {
      token_refused: {
        level: 'warn',
        when: 'a token was missing, malformed, forged, expired or revoked, in `connect`, `refresh` or `subscribe`, or to read a document (`state`)',
        fields: ['code', 'request', 'channel', ...client],
      },
      origin_refused: {
        level: 'warn',
        when: 'a page of an origin that is not allowed asked for a connection',
        fields: ['code', 'origin', ...client],
      },
      api_key_refused: {
        level: 'warn',
        when: 'a request to the HTTP API came without a key, or with a wrong one',
        fields: ['code', 'method', 'path', 'remoteAddress'],
      },
      limit_exceeded: {
        level: 'warn',
        when: 'something was refused before there was a connection; every ten seconds at most for each limit',
        fields: ['limit', 'remoteAddress', 'total'],
      },
      http2_resets: {
        level: 'info',
        when: 'an HTTP/2 connection was ended for `http2MaxResets`',
        fields: ['remoteAddress'],
      },
      http2_settings: { level: 'info', when: 'the same for `http2MaxSettings`', fields: ['remoteAddress'] },
      http2_pings: { level: 'info', when: 'the same for `http2MaxPings`', fields: ['remoteAddress'] },
    },
  },
  {
    title: 'Clients',
    events: {
      client_disconnected: {
        level: 'debug',
        when: 'the server has ended a connection',
        fields: ['code', 'reason', ...client],
      },
      slow_consumer: {
        level: 'warn',
        when: 'a connection was ended because `maxBufferedBytes` waited for it',
        fields: ['bufferedBytes', ...client],
      },
      slow_consumer_conflated: {
        level: 'info',
        when: 'a connection is behind, and a publication makes way for the first time; once a connection',
        fields: ['bufferedBytes', ...client],
      },
      tls_handshake_failed: { level: 'info', when: 'a TLS handshake came to nothing', fields: ['code', 'remoteAddress'] },
      http2_session_error: { level: 'info', when: 'an HTTP/2 connection has failed', fields: ['err'] },
      http2_handshake_timeout: {
        level: 'info',
        when: 'an HTTP/2 connection sent no SETTINGS within `handshakeTimeoutMs`',
        fields: ['remoteAddress'],
      },
      http2_ping_timeout: {
        level: 'info',
        when: 'an HTTP/2 connection left a PING of the server unanswered for 30 seconds',
        fields: ['remoteAddress'],
      },
      websocket_protocol_error: { level: 'info', when: 'a WebSocket broke RFC 6455 or a limit', fields: ['err', ...client] },
    },
  },
  {
    title: 'Application hooks',
    events: {
      hook_failed: {
        level: 'error',
        when: 'a question was not answered, or not in the documented form',
        fields: ['hook', 'event', 'kind', 'err'],
      },
      hook_delivery_failed: {
        level: 'error',
        when: 'notices did not arrive; they are told again, unless the backend has refused them',
        fields: ['hook', 'waiting', 'err'],
      },
      hook_delivery_resumed: { level: 'info', when: 'notices arrive again', fields: ['hook', 'waiting'] },
      hook_notices_dropped: {
        level: 'error',
        when: 'notices will never be told',
        fields: ['hook', 'reason', 'count', 'waiting'],
      },
      hook_breaker_opened: {
        level: 'error',
        when: 'a backend is left alone for `hookBreakerResetMs`',
        fields: ['hook', 'resetMs'],
      },
      hook_breaker_closed: { level: 'info', when: 'it is back', fields: ['hook'] },
    },
  },
  {
    title: 'Failures of the server',
    events: {
      request_failed: {
        level: 'error',
        when: 'a request of a client was answered with `internal_error`',
        fields: ['type', 'err'],
      },
      api_request_failed: {
        level: 'error',
        when: 'a request to the HTTP API was answered with `internal_error`',
        fields: ['method', 'path', 'err'],
      },
      api_command_failed: { level: 'error', when: 'a command of a batch was', fields: ['err'] },
      http_transport_failed: {
        level: 'error',
        when: 'a request of SSE, streaming or polling was',
        fields: ['err'],
      },
      catch_up_failed: {
        level: 'error',
        when: 'what a channel may have missed could not be read; it is tried again',
        fields: ['channel', 'err'],
      },
      presence_remove_failed: {
        level: 'error',
        when: 'one who has left could not be taken out of the presence of a channel',
        fields: ['channel', 'session', 'err'],
      },
      presence_refresh_failed: {
        level: 'error',
        when: 'the presence store does not take who is there; it is tried again',
        fields: ['err'],
      },
      session_store_away: {
        level: 'error',
        when: 'the store of sessions cannot be reached; clients stay, and none comes over from another node until it is back',
        fields: ['err'],
      },
      session_not_shared: {
        level: 'error',
        when: 'a session is more than the store of sessions takes: it cannot go on at another node',
        fields: ['session', 'err'],
      },
      session_store_back: { level: 'info', when: 'the store of sessions can be reached again', fields: [] },
      announcement_failed: {
        level: 'error',
        when: 'other nodes could not be told who has come to a channel, or has gone',
        fields: ['channel', 'err'],
      },
    },
  },
]
