import { bytes, count } from './option-notes.ts'

/** What one client may take. */
export const limitOptions = {
  maxConnections: count(
    'Connections of the node: of TCP, and of clients within them; and as many sessions that wait for their client.',
    {
      default: 100_000,
      min: 1,
      max: 10_000_000,
    },
  ),
  maxConnectionsPerAddress: count('The same of one IPv4 address, or one /64 of IPv6.', {
    default: 10_000,
    min: 1,
    max: 10_000_000,
  }),
  maxConnectionsPerUser: count('Connections of one user, and sessions together with those that wait for their client.', {
    default: 1000,
    min: 1,
    max: 10_000_000,
  }),
  handshakesPerSecond: count('TCP connections that the node accepts in a second in the long run, and twice as many at once.', {
    default: 2000,
    min: 1,
    max: 10_000_000,
  }),
  handshakesPerSecondPerAddress: count('The same from one address.', { default: 2000, min: 1, max: 10_000_000 }),
  stateReadsPerSecondPerAddress: count(
    'Documents of state channels that clients of one address may read over HTTP in a second in the long run, and twice as many at once.',
    { default: 1000, min: 1, max: 10_000_000 },
  ),
  maxMessageBytes: bytes('Size of one message at most.', { default: 65_536, min: 256, max: 67_108_864 }),
  maxDepth: count('How deep arrays and objects of a message may be nested.', { default: 32, min: 3, max: 1000 }),
  maxBufferedBytes: bytes('What may wait for a slow client before it is disconnected to recover later.', {
    default: 1_048_576,
    min: 1024,
    max: 1_073_741_824,
  }),
  maxChannelsPerSession: count('Channels that one session may be subscribed to.', { default: 128, min: 1, max: 100_000 }),
  maxBadMessages: count('Unacceptable messages after which a connection is ended.', { default: 10, min: 1, max: 10_000 }),
  maxPendingRequests: count('Requests of one connection that may wait for their answer.', { default: 256, min: 1, max: 100_000 }),
  messagesPerSecond: count('Messages a second that one session may send in the long run.', {
    default: 1000,
    min: 1,
    max: 10_000_000,
  }),
  messagesBurst: count('Messages that one session may send at once, after a pause.', { default: 2000, min: 1, max: 100_000_000 }),
  bytesPerSecond: bytes('Bytes of messages a second that one session may send in the long run.', {
    default: 4_194_304,
    min: 256,
    max: 1_073_741_824,
  }),
  bytesBurst: bytes('Bytes of messages that one session may send at once, after a pause.', {
    default: 8_388_608,
    min: 256,
    max: 1_073_741_824,
  }),
  maxRateLimited: count(
    'Messages of one session that are refused for these rates, without a pause between them, before its connection is ended.',
    { default: 1000, min: 1, max: 1_000_000 },
  ),
}
