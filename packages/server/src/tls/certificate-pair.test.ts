import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { ConfigurationError } from '../config/configuration-error.ts'
import { checkPair } from './certificate-pair.ts'
import { type CertificateFiles, TestAuthority } from './testing/certificate-authority.ts'

let pair: CertificateFiles
let authority: TestAuthority

beforeAll(async () => {
  authority = await TestAuthority.create()
  pair = await authority.issue()
})

describe('checkPair', () => {
  it('takes a pair whatever stands around its PEM, as other tools write it', () => {
    const text = `subject=CN = test\r\n${pair.cert.replaceAll('\n', '\r\n')}\n# the issuer\n${authority.cert}`
    expect(checkPair(text, `Bag Attributes\n${pair.key}`, Date.now()).certificate.subject).toBe('CN=test')
  })

  it('answers damaged files with what to do, and with no other error', () => {
    const damage = fc.array(fc.tuple(fc.nat(2_000), fc.constantFrom('', 'A', '\n', '-', '/', '\u0000', 'é')), {
      minLength: 1,
      maxLength: 5,
    })
    const apply = (text: string, changes: [number, string][]): string =>
      changes.reduce((done, [at, by]) => done.slice(0, at % done.length) + by + done.slice((at % done.length) + 1), text)
    fc.assert(
      fc.property(damage, damage, fc.boolean(), (certDamage, keyDamage, both) => {
        const cert = apply(pair.cert, certDamage)
        const key = both ? apply(pair.key, keyDamage) : pair.key
        try {
          expect(checkPair(cert, key, Date.now()).cert).toBe(cert)
        } catch (error) {
          expect(error).toBeInstanceOf(ConfigurationError)
          expect((error as ConfigurationError).problems[0]?.option).toMatch(/^tls(Cert|Key)File$/)
        }
      }),
      { numRuns: 300 },
    )
  })

  it('answers anything at all with what to do', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (cert, key) => {
        expect(() => checkPair(cert, key, Date.now())).toThrow(ConfigurationError)
        expect(() => checkPair(pair.cert, key, Date.now())).toThrow(ConfigurationError)
      }),
    )
  })

  it('holds a certificate valid from its first to its last moment', async () => {
    const notBefore = new Date('2026-01-01T00:00:00Z')
    const notAfter = new Date('2026-02-01T00:00:00Z')
    const { cert, key } = await authority.issue({ notBefore, notAfter })
    fc.assert(
      fc.property(fc.date({ min: new Date('2025-01-01'), max: new Date('2027-01-01'), noInvalidDate: true }), (date) => {
        const isValid = date >= notBefore && date < notAfter
        const check = () => checkPair(cert, key, date.getTime())
        if (isValid) expect(check).not.toThrow()
        else expect(check).toThrow(date < notBefore ? 'valid only from 2026-01-01' : 'expired on 2026-02-01')
      }),
    )
  })
})
