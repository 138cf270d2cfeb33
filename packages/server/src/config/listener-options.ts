import { z } from 'zod'
import { bytes, count, flag, milliseconds, OPTION_NOTES } from './option-notes.ts'

export const TRANSPORTS = ['websocket', 'websocket-h2', 'sse', 'stream', 'poll', 'tcp'] as const

const port = () => z.int().min(0).max(65_535)

/** Where the server listens, and which ways in it offers. */
export const listenerOptions = {
  host: z
    .string()
    .min(1)
    .exactOptional()
    .describe('Address to listen on.')
    .register(OPTION_NOTES, { defaultText: '127.0.0.1 in development, otherwise 0.0.0.0', example: '0.0.0.0' }),
  port: port().default(8443).describe('TLS port, for every way in. 0 lets the system choose.'),
  cleartextPort: port()
    .exactOptional()
    .describe('Port without TLS, for every way in. Off when left out. For use behind a proxy that ends TLS.')
    .register(OPTION_NOTES, { defaultText: 'off', example: 8080 }),
  transports: z
    .array(z.enum(TRANSPORTS))
    .min(1)
    .default([...TRANSPORTS])
    .describe('Ways in that are on.')
    .register(OPTION_NOTES, { defaultText: 'all', example: ['websocket', 'sse'] }),
  allowedOrigins: z
    .array(z.string().min(1))
    .default([])
    .describe(
      'Origins of web pages that may connect besides pages of the server itself: https://app.example.com, https://*.example.com, or * for any.',
    )
    .register(OPTION_NOTES, { example: ['https://app.example.com'] }),
  trustedProxies: z
    .array(z.string().min(1))
    .default([])
    .describe(
      'Addresses, or ranges of them, whose X-Forwarded-For says where a client comes from. They are not limited by address themselves.',
    )
    .register(OPTION_NOTES, { example: ['10.0.0.0/8'] }),
  compression: flag('Compress WebSocket messages (permessage-deflate) for clients that offer it.', true),
  compressionThresholdBytes: bytes('Messages below this size are sent as they are.', { default: 1024, min: 0, max: 16_777_216 }),
  handshakeTimeoutMs: milliseconds('Time that a client has for the TLS handshake and the headers of a request.', {
    default: 10_000,
  }),
  drainDelayMs: milliseconds(
    'How long a server that leaves is not ready and still takes connections, for load balancers to notice.',
    {
      default: 0,
      min: 0,
    },
  ),
  drainWindowMs: milliseconds('Over how long its clients are told to move, after that.', { default: 5000, min: 0 }),
  drainTimeoutMs: milliseconds('How long leaving may take in all, before what is still under way is cut.', {
    default: 10_000,
    min: 0,
  }),
  maxHeaderBytes: bytes('Size of all headers of one request at most.', { default: 16_384, min: 1024, max: 1_048_576 }),
  http2MaxConcurrentStreams: count('Streams at a time that one HTTP/2 connection may have.', {
    default: 200,
    min: 1,
    max: 100_000,
  }),
  http2MaxResets: count('Streams that one HTTP/2 connection may abort within ten seconds before it is ended.', {
    default: 200,
    min: 1,
    max: 1_000_000,
  }),
  http2MaxSettings: count('SETTINGS frames that one HTTP/2 connection may send within ten seconds before it is ended.', {
    default: 100,
    min: 1,
    max: 1_000_000,
  }),
  http2MaxPings: count('PING frames that one HTTP/2 connection may send within ten seconds before it is ended.', {
    default: 500,
    min: 1,
    max: 1_000_000,
  }),
}
