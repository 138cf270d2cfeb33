import { FusewireError } from '@fusewire/protocol'
import { describe, expect, it } from 'vitest'
import { agree, type HandshakeHeaders } from './handshake.ts'

const rules = {
  compression: true,
  isOriginAllowed: (origin: string | undefined, host: string | undefined) => origin === undefined || origin === `https://${host}`,
}
const ask = (url: string, headers: HandshakeHeaders = {}) =>
  agree(url, { host: 'a', 'sec-websocket-version': '13', ...headers }, rules)
const codeOf = (url: string, headers: HandshakeHeaders = {}): string => {
  try {
    ask(url, headers)
  } catch (error) {
    if (error instanceof FusewireError) return error.code
  }
  return 'none'
}

describe('agree', () => {
  it.each(['/fusewire/v1/ws', '/ws', '/ws?x=1'])('opens a session at %s', (url) => {
    expect(ask(url)).toEqual({ endpoint: 'session', codec: 'json', subprotocol: undefined, extensions: undefined })
  })

  it('opens an echo at its path, with whatever subprotocol the client has', () => {
    expect(ask('/fusewire/v1/echo', { 'sec-websocket-protocol': 'soap, wamp' })).toMatchObject({
      endpoint: 'echo',
      subprotocol: 'soap',
    })
  })

  it.each(['/', '/ws/', '/WS', '/fusewire/v2/ws', '', '//'])('finds nothing at "%s"', (url) => {
    expect(codeOf(url)).toBe('not_found')
  })

  it.each([
    ['fusewire.v1.json', 'json'],
    ['fusewire.v1.msgpack', 'msgpack'],
    ['other, fusewire.v1.msgpack, fusewire.v1.json', 'msgpack'],
  ])('speaks the first subprotocol of "%s" that it knows', (offer, codec) => {
    expect(ask('/ws', { 'sec-websocket-protocol': offer })).toMatchObject({ codec, subprotocol: `fusewire.v1.${codec}` })
  })

  it('refuses a client that only offers unknown subprotocols', () => {
    expect(codeOf('/ws', { 'sec-websocket-protocol': 'graphql-ws, soap' })).toBe('unsupported_subprotocol')
  })

  it('refuses pages of other origins, by the host of either HTTP version', () => {
    expect(codeOf('/ws', { origin: 'https://b' })).toBe('origin_not_allowed')
    expect(codeOf('/ws', { origin: 'https://a' })).toBe('none')
    expect(codeOf('/ws', { origin: 'https://b', ':authority': 'b' })).toBe('none')
    expect(codeOf('/fusewire/v1/echo', { origin: 'https://b' })).toBe('origin_not_allowed')
  })

  it.each([
    [{ 'sec-websocket-version': '8' }],
    [{ 'sec-websocket-version': undefined }],
    [{ 'sec-websocket-protocol': ',' }],
    [{ 'sec-websocket-extensions': ';' }],
  ])('refuses headers that cannot be read: %j', (headers) => {
    expect(codeOf('/ws', headers)).toBe('malformed_request')
  })

  it('agrees on compression only where it is on', () => {
    const headers = { 'sec-websocket-version': '13', 'sec-websocket-extensions': 'permessage-deflate' }
    expect(agree('/ws', headers, rules).extensions).toContain('permessage-deflate')
    expect(agree('/ws', headers, { ...rules, compression: false }).extensions).toBeUndefined()
  })
})
