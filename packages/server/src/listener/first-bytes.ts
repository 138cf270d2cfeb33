/** What a connection speaks once TLS is out of the way. */
export type Dialect = 'h2' | 'h1' | 'tcp'

/** The client connection preface of HTTP/2 (RFC 9113 section 3.4). */
export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1')

const OPENING_BRACE = 0x7b

/**
 * Tells what a cleartext client speaks by the first bytes it sent; undefined while they could still become an HTTP/2 preface.
 * A preface that goes wrong is left to HTTP/1, which answers that it cannot be read.
 */
export const recognise = (bytes: Uint8Array): Dialect | undefined => {
  if (bytes.length === 0) return undefined
  if (bytes[0] === OPENING_BRACE) return 'tcp'
  const length = Math.min(bytes.length, PREFACE.length)
  if (PREFACE.compare(bytes, 0, length, 0, length) !== 0) return 'h1'
  return length === PREFACE.length ? 'h2' : undefined
}
