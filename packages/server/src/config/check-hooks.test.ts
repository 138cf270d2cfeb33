import { expect, it } from 'vitest'
import { ConfigurationError } from './configuration-error.ts'
import type { FusewireInput } from './options.ts'
import { resolveOptions } from './resolve-options.ts'

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const URL = 'https://app.example.com/fusewire'

/** What is wrong with these options, one line each. */
const problemsOf = (input: FusewireInput): string[] => {
  try {
    resolveOptions({ allowAnonymous: true, hookSecrets: [SECRET], ...input }, { nodeEnv: undefined })
    return []
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error
    return error.message.split('\n')
  }
}

it('takes backends for events, and for channels by pattern', () => {
  expect(problemsOf({ hooks: [{ url: URL, events: ['connect', 'publish', 'disconnect'], channels: 'chat:*' }] })).toEqual([])
  expect(problemsOf({ hooks: [{ url: 'http://localhost:3000/hooks', events: ['rpc'] }] })).toEqual([])
})

it('lets a backend with a connect hook stand in for keys', () => {
  const hooks = [{ url: URL, events: ['connect' as const] }]
  expect(problemsOf({ allowAnonymous: false, hooks })).toEqual([])
  expect(problemsOf({ allowAnonymous: false, hooks: [{ url: URL, events: ['rpc'] }] })).toEqual([
    expect.stringMatching(/^no client could connect/u),
  ])
})

it.each([
  ['app.example.com', /^hooks\[0\]\.url: is not a URL: "app\.example\.com"; write https/u],
  ['ftp://app.example.com', /^hooks\[0\]\.url: ftp: cannot be called/u],
  ['http://app.example.com', /^hooks\[0\]\.url: .* must come over https; .*hookAllowHttp/u],
  ['https://user:pass@app.example.com', /^hooks\[0\]\.url: an address with a user name or password/u],
])('refuses the address %s', (url, message) => {
  expect(problemsOf({ hooks: [{ url, events: ['rpc'] }] })).toEqual([expect.stringMatching(message)])
})

it('takes http by choice and in development', () => {
  const hooks = [{ url: 'http://app:3000/', events: ['rpc' as const] }]
  expect(problemsOf({ hookAllowHttp: true, hooks })).toEqual([])
  expect(problemsOf({ development: true, hookSecrets: [], hooks })).toEqual([])
})

it('refuses backends without a secret, but in development', () => {
  const hooks = [{ url: URL, events: ['rpc' as const] }]
  expect(problemsOf({ hookSecrets: [], hooks })).toEqual([expect.stringMatching(/^hookSecrets: is empty, so that/u)])
  expect(problemsOf({ hookSecrets: [] })).toEqual([])
})

it.each([
  ['MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', /does not begin with whsec_/u],
  ['whsec_not base64!', /is no Base64/u],
  ['whsec_c2hvcnQ=', /has 5 bytes instead of 24 to 64/u],
])('refuses the secret %s without printing it', (secret, message) => {
  const [problem, ...rest] = problemsOf({ hookSecrets: [secret] })
  expect(rest).toEqual([])
  expect(problem).toMatch(message)
  expect(problem).not.toContain(secret.slice(6))
})

it('refuses what could never be called', () => {
  expect(problemsOf({ hooks: [{ url: URL, events: ['rpc', 'rpc'] }] })).toEqual([
    'hooks[0].events[1]: rpc is named twice; remove one of them',
  ])
  expect(problemsOf({ hooks: [{ url: URL, events: ['connect', 'rpc'], channels: 'chat:*' }] })).toEqual([
    'hooks[0].channels: none of connect, rpc is about a channel; leave the channels out',
  ])
  expect(
    problemsOf({
      hooks: [
        { url: URL, events: ['publish', 'disconnect'] },
        { url: `${URL}/chat`, events: ['disconnect', 'publish'], channels: 'chat:*' },
      ],
    }),
  ).toEqual(['hooks[1].events[1]: publish is decided by hooks[0], which comes first; remove one of them'])
})

it('lets several backends hear of the same, and decide in different channels', () => {
  expect(
    problemsOf({
      hooks: [
        { url: URL, events: ['publish', 'unsubscribe'], channels: 'chat:*' },
        { url: URL, events: ['publish', 'unsubscribe'] },
      ],
    }),
  ).toEqual([])
})

it('names an event that it does not know', () => {
  expect(problemsOf({ hooks: [{ url: URL, events: ['subscibe' as 'subscribe'] }] })).toEqual([
    expect.stringMatching(/^hooks\[0\]\.events\[0\]: is one of connect, .*; did you mean subscribe\?$/u),
  ])
})
