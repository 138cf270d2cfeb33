import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { originProblem } from './origin-pattern.ts'
import { OriginPolicy } from './origin-policy.ts'

const allows = (list: readonly string[], origin: string | undefined, host: string | undefined = 'fusewire.test:8443'): boolean =>
  new OriginPolicy(list).isAllowed(origin, host)

const label = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}[a-z0-9]$/).filter((text) => !text.includes('--'))
const domain = fc.array(label, { minLength: 2, maxLength: 4 }).map((labels) => labels.join('.'))
const port = fc.integer({ min: 1024, max: 65535 })

describe('programs that are no browsers', () => {
  it('send no Origin and are let through', () => {
    expect(allows([], undefined)).toBe(true)
    expect(allows([], undefined, undefined)).toBe(true)
  })
})

describe('pages of the same host', () => {
  it.each([
    ['https://fusewire.test', 'fusewire.test'],
    ['https://fusewire.test', 'fusewire.test:8443'],
    ['http://fusewire.test:3000', 'fusewire.test:8443'],
    ['https://fusewire.test', 'FuseWire.test'],
    ['http://localhost:5173', 'localhost:8443'],
    ['https://[::1]:3000', '[::1]:8443'],
    ['https://[::1]', '[0:0:0:0:0:0:0:1]'],
    ['https://127.0.0.1:3000', '127.0.0.1:8443'],
    ['https://xn--bcher-kva.example', 'xn--bcher-kva.example'],
    ['https://fusewire.test.', 'fusewire.test.:8443'],
  ])('are allowed: %s at %s', (origin, host) => {
    expect(allows([], origin, host)).toBe(true)
  })

  it.each([
    ['https://localhost', '127.0.0.1'],
    ['https://fusewire.test.', 'fusewire.test'],
    ['https://fusewire.test', 'fusewire.test.'],
    ['https://[::1]', '[::2]'],
    ['https://1.0.0.127', '127.0.0.1'],
    ['https://evil.test', 'fusewire.test'],
    ['https://evil.test', undefined],
    ['https://evil.test', ''],
    ['https://evil.test', 'fusewire.test@evil.test'],
    ['https://evil.test', 'fusewire.test/@evil.test'],
    ['https://evil.test', 'evil.test/'],
    ['https://evil.test', 'evil.test#'],
    ['https://evil.test', 'evil.test, fusewire.test'],
    ['https://a.test', '%61.test'],
    ['app://fusewire.test', 'fusewire.test'],
    ['ftp://fusewire.test', 'fusewire.test'],
    ['file://', ''],
  ])('are not those of %s at %s', (origin, host) => {
    expect(new OriginPolicy([]).isAllowed(origin, host)).toBe(false)
  })

  it('are allowed from every port, and pages of every other host refused', () => {
    fc.assert(
      fc.property(domain, domain, port, port, (one, other, pagePort, serverPort) => {
        expect(allows([], `https://${one}:${pagePort}`, `${one}:${serverPort}`)).toBe(true)
        fc.pre(one !== other)
        expect(allows([], `https://${other}:${pagePort}`, `${one}:${serverPort}`)).toBe(false)
        expect(allows([], `https://sub.${one}`, one)).toBe(false)
      }),
    )
  })
})

describe('a server for this machine alone', () => {
  const policy = new OriginPolicy(['https://app.example.com'], { loopback: true })

  it.each(['localhost', 'demo.localhost', '127.0.0.1', '127.8.8.8', '[::1]'])('takes its own pages at %s', (host) => {
    expect(policy.isAllowed(`http://${host}:3000`, `${host}:8443`)).toBe(true)
  })

  it('takes them under each of its names', () => {
    expect(policy.isAllowed('http://localhost:5173', '127.0.0.1:8443')).toBe(true)
    expect(policy.isAllowed('http://[::1]:5173', 'localhost:8443')).toBe(true)
    expect(policy.isAllowed('http://localhost:5173', 'evil.test:8443')).toBe(false)
    expect(policy.isAllowed('http://evil.test:5173', 'localhost:8443')).toBe(false)
    expect(policy.isAllowed('null', 'localhost:8443')).toBe(false)
  })

  it('knows a page that sends no origin, because it takes the server for its own, by the name that it asks for', () => {
    expect(policy.isAllowed(undefined, 'evil.test:8443')).toBe(false)
    expect(policy.isAllowed(undefined, 'localhost.evil.test')).toBe(false)
    expect(policy.isAllowed(undefined, 'not a host')).toBe(false)
    for (const host of ['localhost:8443', '127.0.0.1', '[::1]:8443', 'app.example.com', undefined])
      expect(policy.isAllowed(undefined, host), host).toBe(true)
    expect(policy.isAllowed(undefined, 'evil.test:8443')).toBe(false)
    expect(new OriginPolicy(['https://app.example.com']).isAllowed(undefined, 'evil.test:8443')).toBe(true)
  })

  it.each(['evil.test', 'localhost.evil.test', '127.0.0.1.evil.test', '192.168.1.7', '[::2]', 'notlocalhost'])(
    'does not take a page of %s for its own, whatever address that name has',
    (host) => {
      expect(policy.isAllowed(`http://${host}:8080`, `${host}:8080`)).toBe(false)
      expect(new OriginPolicy([]).isAllowed(`http://${host}:8080`, `${host}:8080`)).toBe(true)
    },
  )

  it('still takes what is listed, and programs', () => {
    expect(policy.isAllowed('https://app.example.com', 'localhost:8443')).toBe(true)
    expect(policy.isAllowed(undefined, 'localhost:8443')).toBe(true)
  })
})

describe('the list', () => {
  it('allows exactly its origins: scheme, host and port', () => {
    const list = ['https://app.example.com', 'http://localhost:3000', 'https://[2001:db8::1]:8443']
    for (const origin of list) expect(allows(list, origin)).toBe(true)
    for (const origin of [
      'http://app.example.com',
      'https://app.example.com:8443',
      'https://example.com',
      'https://www.app.example.com',
      'http://localhost',
      'http://localhost:30000',
      'https://[2001:db8::1]',
    ])
      expect(allows(list, origin)).toBe(false)
  })

  it('allows every host below a domain with *., but not the domain itself', () => {
    const list = ['https://*.example.com', 'http://*.localhost:3000']
    for (const origin of ['https://app.example.com', 'https://a.b.c.example.com', 'http://demo.localhost:3000'])
      expect(allows(list, origin)).toBe(true)
    for (const origin of [
      'https://example.com',
      'http://app.example.com',
      'https://app.example.com:8443',
      'https://.example.com',
      'https://a..example.com',
      'https://*.example.com',
      'http://demo.localhost',
      'http://localhost:3000',
    ])
      expect(allows(list, origin)).toBe(false)
  })

  it('allows every origin but null with *', () => {
    expect(allows(['*'], 'https://anything.test')).toBe(true)
    expect(allows(['*'], 'chrome-extension://abcdef')).toBe(true)
    expect(allows(['*'], 'null')).toBe(false)
  })

  it('allows null only when it is listed', () => {
    expect(allows([], 'null', 'null')).toBe(false)
    expect(allows(['https://null'], 'null')).toBe(false)
    expect(allows(['null'], 'null')).toBe(true)
  })

  it('allows apps and browser extensions that are listed', () => {
    const list = ['capacitor://localhost', 'chrome-extension://abcdefghijklmnop', 'tauri://localhost']
    for (const origin of list) expect(allows(list, origin)).toBe(true)
    expect(allows(list, 'ionic://localhost')).toBe(false)
    expect(allows(list, 'capacitor://localhost.evil.test')).toBe(false)
  })

  it('reads an origin in upper case, which no browser sends, like one in lower case', () => {
    expect(allows(['https://app.example.com', 'https://*.example.org'], 'HTTPS://App.Example.COM')).toBe(true)
    expect(allows(['https://app.example.com', 'https://*.example.org'], 'https://APP.example.org')).toBe(true)
  })
})

describe('look-alikes', () => {
  /** What a page of `evil` could hope to pass for `good` with. */
  const tricks = (good: string, evil: string): string[] => [
    `https://${evil}`,
    `https://${good}.${evil}`,
    `https://${evil}.${good}x`,
    `https://${good}@${evil}`,
    `https://${good}:443@${evil}`,
    `https://${evil}#.${good}`,
    `https://${evil}/.${good}`,
    `https://${evil}/https://${good}`,
    `https://${evil}?.${good}`,
    `https://${evil}\\.${good}`,
    `https://${evil}\\@${good}`,
    `https://${evil}%2f.${good}`,
    `https://${evil}%00.${good}`,
    `https://${evil}\u0000.${good}`,
    `https://${evil}\t.${good}`,
    `https://${evil},https://${good}`,
    `https://${evil} https://${good}`,
    `https://${good} https://${evil}`,
    `https://${good}\n`,
    ` https://${good}`,
    `https://${good}/`,
    `https://${good}.`,
    `https://${good}:`,
    `https://${good}:443`,
    `https://${good}:8443`,
    `https:${good}`,
    `https:/${good}`,
    `https:///${good}`,
    `//${good}`,
    good,
    `http://${good}`,
    `wss://${good}`,
    `javascript://${good}`,
    `blob:https://${good}`,
    `https://${good.replace('.', '。')}`,
    `https://${good.replace('.', '%2e')}`,
    `https://${good.replace(/[aeiou]/u, 'а')}х`,
    `https://xn--${good}`,
    `https://${good}-${evil}`,
    `https://${evil}-${good}`,
    `https://${evil}${good}`,
    'https://[::ffff:7f00:1]',
    'https://0x7f000001',
    'https://*',
    '*',
    '',
    'null',
  ]

  it('of a listed origin are refused', () => {
    fc.assert(
      fc.property(domain, domain, (good, evil) => {
        fc.pre(!evil.endsWith(good) && !good.endsWith(evil))
        for (const origin of tricks(good, evil)) expect([origin, allows([`https://${good}`], origin)]).toEqual([origin, false])
      }),
    )
  })

  it('of a host below a listed domain are refused', () => {
    fc.assert(
      fc.property(domain, domain, label, (good, evil, below) => {
        fc.pre(!evil.endsWith(good) && !good.endsWith(evil))
        const list = [`https://*.${good}`]
        expect(allows(list, `https://${below}.${good}`)).toBe(true)
        for (const origin of tricks(`${below}.${good}`, evil)) {
          // That one is a host below the domain, if an odd one: whoever owns the domain owns it.
          if (
            [`https://${evil}-${below}.${good}`, `https://${evil}${below}.${good}`, `https://xn--${below}.${good}`].includes(
              origin,
            )
          )
            continue
          expect([origin, allows(list, origin)]).toEqual([origin, false])
        }
      }),
    )
  })

  it('of the host that is asked are refused', () => {
    fc.assert(
      fc.property(domain, domain, (good, evil) => {
        fc.pre(!evil.endsWith(good) && !good.endsWith(evil))
        const samePage = new Set([`http://${good}`, `https://${good}:8443`])
        for (const origin of tricks(good, evil))
          expect([origin, allows([], origin, good)]).toEqual([origin, samePage.has(origin)])
      }),
    )
  })

  it('of addresses are refused', () => {
    const list = ['https://127.0.0.1:3000', 'https://[::1]:3000']
    for (const origin of [
      'https://127.1:3000',
      'https://0x7f.0.0.1:3000',
      'https://2130706433:3000',
      'https://0177.0.0.1:3000',
      'https://127.0.0.1.:3000',
      'https://[0:0:0:0:0:0:0:1]:3000',
      'https://[::0001]:3000',
      'https://[::1%25lo]:3000',
      'https://::1:3000',
      'https://[::1]:03000',
    ])
      expect([origin, allows(list, origin)]).toEqual([origin, false])
  })

  it('never make it throw, whatever the headers hold', () => {
    const policy = new OriginPolicy(['https://app.example.com', 'https://*.example.org'])
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string(), fc.webUrl())
    fc.assert(
      fc.property(text, text, (origin, host) => {
        expect(policy.isAllowed(origin, host)).toBeTypeOf('boolean')
        expect(policy.isAllowed(`https://${origin}`, host)).toBeTypeOf('boolean')
      }),
    )
  })
})

describe('entries that are no origins', () => {
  it.each([
    ['https://app.example.com/', 'https://app.example.com'],
    ['https://app.example.com/path?query#hash', 'https://app.example.com'],
    ['app.example.com', 'https://app.example.com'],
    ['localhost:3000', 'http://localhost:3000'],
    ['HTTPS://App.Example.com', 'https://app.example.com'],
    ['https://app.example.com:443', 'https://app.example.com'],
    ['http://app.example.com:80', 'http://app.example.com'],
    [' https://app.example.com ', 'https://app.example.com'],
    ['wss://app.example.com', 'https://app.example.com'],
    ['ws://app.example.com:8080', 'http://app.example.com:8080'],
    ['https://bücher.example', 'https://xn--bcher-kva.example'],
    ['https://[0:0::1]:3000', 'https://[::1]:3000'],
    ['*.example.com', 'https://*.example.com'],
    ['.example.com', 'https://*.example.com'],
    ['https://*example.com', 'https://*.example.com'],
    ['https://*.Example.com/', 'https://*.example.com'],
    ['https://*', '*'],
    ['*.*', '*'],
  ])('%j: write %s', (entry, meant) => {
    expect(originProblem(entry)).toContain(`write ${meant}, not ${JSON.stringify(entry)}`)
    expect(originProblem(meant)).toBeUndefined()
    expect(() => new OriginPolicy(['*', entry])).toThrow(`allowedOrigins[1]: `)
  })

  it.each([
    '',
    'https://',
    'https://app.*.com',
    'https://*.*.com',
    'https://*.1.2.3.4',
    'https://*.[::1]',
    'https://..a.com',
    'https://a@b.com',
    'file://',
  ])('%j: shows how one looks', (entry) => {
    expect(originProblem(entry)).toContain('write something like https://app.example.com or https://*.example.com')
  })

  it('are the only ones that are refused', () => {
    fc.assert(
      fc.property(fc.constantFrom('http', 'https'), fc.boolean(), domain, fc.option(port), (scheme, wildcard, host, number) => {
        const entry = `${scheme}://${wildcard ? '*.' : ''}${host}${number === null ? '' : `:${number}`}`
        expect(originProblem(entry)).toBeUndefined()
        const page = entry.replace('*', 'www')
        expect(allows([entry], page)).toBe(true)
      }),
    )
  })
})
