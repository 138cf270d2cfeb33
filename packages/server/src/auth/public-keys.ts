import { createPublicKey, type KeyObject } from 'node:crypto'
import { ConfigurationError } from '../config/configuration-error.ts'
import { algorithmsOf, type JwtAlgorithm } from './token-algorithms.ts'
import type { TokenKey, TokenKeys } from './token-keys.ts'

const OPTION = 'jwtPublicKeyFile'

const parse = (pem: string, source: string): KeyObject => {
  const refuse = (message: string, cause?: unknown) => new ConfigurationError([{ option: OPTION, message }], { cause })
  const label = /-----BEGIN ([A-Z0-9 ]+)-----/u.exec(pem)?.[1]
  if (label === undefined)
    throw refuse(
      `${source} holds no PEM: a public key begins with "-----BEGIN PUBLIC KEY-----", a certificate with "-----BEGIN CERTIFICATE-----"`,
    )
  // createPublicKey would take it and use its public half, and the private half would stay where the server needs none.
  if (label.includes('PRIVATE KEY'))
    throw refuse(
      `${source} holds a private key; give the server the public one alone: openssl pkey -in private.pem -pubout -out public.pem`,
    )
  try {
    return createPublicKey(pem)
  } catch (cause) {
    throw refuse(
      `${source} holds a ${label} that cannot be read; make it again with "openssl pkey -in private.pem -pubout"`,
      cause,
    )
  }
}

/** One public key: PEM of a key (SPKI, PKCS #1) or of a certificate. */
export class PublicKeys implements TokenKeys {
  readonly algorithms: readonly JwtAlgorithm[]
  readonly #keys: readonly TokenKey[]

  /** `source` says where the PEM comes from, for the messages. */
  constructor(pem: string, source = 'the PEM text') {
    const key = parse(pem, source)
    this.algorithms = algorithmsOf(key, OPTION)
    this.#keys = [key]
  }

  async find(): Promise<readonly TokenKey[]> {
    return this.#keys
  }
}
