import { isUtf8 } from 'node:buffer'
import { FusewireError, jsonCodec } from '@fusewire/protocol'
import type { FastifyRequest } from 'fastify'

declare module 'fastify' {
  interface FastifyRequest {
    /** Length of the body as it came; 0 without one. */
    bodyBytes: number
  }
}

/** Stands for a body of `null`, which is a document: Fastify says null itself, for a body that is not there. */
const NULL = Symbol('null')

/** Reads a request body, for {@link givenPart}. An empty one is undefined. */
export const parseBody = (body: Buffer): unknown => {
  if (body.length === 0) return undefined
  if (!isUtf8(body)) throw new FusewireError('malformed_message', 'the body is not valid UTF-8')
  try {
    return JSON.parse(body.toString('utf8')) ?? NULL
  } catch {
    throw new FusewireError('malformed_message', 'the body is not valid JSON')
  }
}

/** {@link parseBody} for Fastify, without a promise: a request that waits for nothing is answered in the turn in which its body came. */
export const readBody = (request: FastifyRequest, body: Buffer, done: (error: null, parsed: unknown) => void): void => {
  request.bodyBytes = body.length
  done(null, parseBody(body))
}

/** A part of a request as it was sent. Undefined when it is missing, so that the schema decides about that. */
export const givenPart = (part: unknown): unknown => (part === NULL ? null : (part ?? undefined))

/** Writes an answer as the wire's JSON does it, so that data reads alike in both: byte arrays are base64, for one. */
export const writeAnswer = (answer: unknown): string => {
  try {
    // The codec is typed for messages; it writes any value.
    return String(jsonCodec.encode(answer as Parameters<typeof jsonCodec.encode>[0]))
  } catch (cause) {
    throw new FusewireError('internal_error', undefined, { cause })
  }
}
