import { describe, expect, it } from 'vitest'
import { readCapability } from './capability.ts'
import { readUrl } from './connection/connection-options.ts'
import { readDuration } from './duration.ts'
import { readJsonOrText } from './json-value.ts'
import { collectTag } from './tags.ts'

describe('readDuration', () => {
  it.each([
    ['90s', 90_000],
    ['15m', 900_000],
    ['1h', 3_600_000],
    ['1.5h', 5_400_000],
    ['30d', 2_592_000_000],
    ['500ms', 500],
    ['never', undefined],
  ])('reads %s', (text, ms) => {
    expect(readDuration(text)).toBe(ms)
  })

  it.each(['60', '', 'h', '-1h', '1 year', '1h30m'])('refuses %j and says what to write', (text) => {
    expect(() => readDuration(text)).toThrow('Write 90s, 15m, 1h, 30d or never.')
  })
})

describe('readCapability', () => {
  it('reads a pattern and what is allowed there', () => {
    expect(readCapability('chat:*=subscribe,publish')).toEqual({ channels: ['chat:*'], allow: ['subscribe', 'publish'] })
    expect(readCapability('a=b=history')).toEqual({ channels: ['a=b'], allow: ['history'] })
    expect(readCapability('**=*').allow).toHaveLength(4)
  })

  it('says what to write, and names the nearest action', () => {
    expect(() => readCapability('chat:*')).toThrow(/Write 'chat:\*=subscribe,publish'/u)
    expect(() => readCapability('=publish')).toThrow(/Write/u)
    expect(() => readCapability('chat:*=publsh')).toThrow(/"publsh" is none of .*Did you mean publish\?/u)
  })
})

describe('readJsonOrText', () => {
  it.each([
    ['{"a":1}', { a: 1 }],
    [' [1] ', [1]],
    ['101.5', 101.5],
    ['null', null],
    ['"quoted"', 'quoted'],
    ['hello', 'hello'],
    ['hello "you"', 'hello "you"'],
    ['', ''],
  ])('reads %j', (text, value) => {
    expect(readJsonOrText(text, 'The data')).toEqual(value)
  })

  it.each(['{"a":1', '[1,]', '"open', '{a:1}'])('refuses %j, which was hardly meant as a text', (text) => {
    expect(() => readJsonOrText(text, 'The data')).toThrow(/^The data begins like JSON and is none: .* --text/u)
  })
})

describe('readUrl', () => {
  it.each([
    ['https://push.example.com', 'https://push.example.com'],
    ['https://push.example.com/', 'https://push.example.com'],
    ['https://example.com/push/', 'https://example.com/push'],
    ['localhost:8443', 'https://localhost:8443'],
    ['wss://push.example.com', 'https://push.example.com'],
    ['ws://localhost:8080', 'http://localhost:8080'],
    ['[::1]:8443', 'https://[::1]:8443'],
  ])('reads %s', (text, url) => {
    expect(readUrl(text)).toBe(url)
  })

  it.each(['ftp://x', 'https://', 'a b', ''])('refuses %j', (text) => {
    expect(() => readUrl(text)).toThrow(/is no address of a server; write it like https:\/\/localhost:8443/u)
  })
})

describe('collectTag', () => {
  it('adds up', () => {
    expect(collectTag('symbol=ACME', { a: 'b' })).toEqual({ a: 'b', symbol: 'ACME' })
    expect(collectTag('x=a=b')).toEqual({ x: 'a=b' })
    expect(() => collectTag('symbol')).toThrow('Write name=value.')
  })
})
