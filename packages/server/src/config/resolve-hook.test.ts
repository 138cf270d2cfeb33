import { describe, expect, it } from 'vitest'
import { ConfigurationError } from './configuration-error.ts'
import { resolveHook } from './resolve-hook.ts'

const handler = () => ({ decision: 'allow' })

const problemOf = (input: Partial<Parameters<typeof resolveHook>[0]>): string => {
  try {
    resolveHook({ events: 'publish', channels: undefined, handler, ...input })
    return ''
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error
    return error.message
  }
}

describe('a hook of the program', () => {
  it('is for one event or several', () => {
    expect(resolveHook({ events: 'publish', channels: 'chat:*', handler })).toEqual(['publish'])
    expect(resolveHook({ events: ['disconnect', 'channel_vacated'], channels: 'chat:*', handler })).toHaveLength(2)
  })

  it.each([
    [{ events: 'publsh' }, /^hook "publsh": is one of connect, .*, not "publsh"; did you mean publish\?$/u],
    [{ events: [] }, /^hook \[\]: names no event$/u],
    [{ handler: undefined }, /^hook "publish": has no function to call$/u],
    [{ events: 'connect', channels: 'chat:*' }, /^hook "connect": none of connect is about a channel; leave the channels out$/u],
  ])('is refused when it is written like %j', (input, message) => {
    expect(problemOf(input)).toMatch(message)
  })
})
