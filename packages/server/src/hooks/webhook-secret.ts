const PREFIX = 'whsec_'

/** Says what is wrong with a secret of the Standard Webhooks scheme; undefined when it can be used. */
export const secretProblem = (secret: string): string | undefined => {
  const form = 'write whsec_ and Base64, for example the output of: echo "whsec_$(openssl rand -base64 32)"'
  if (!secret.startsWith(PREFIX)) return `does not begin with ${PREFIX}; ${form}`
  const encoded = secret.slice(PREFIX.length)
  const key = Buffer.from(encoded, 'base64')
  if (key.toString('base64').replace(/=+$/u, '') !== encoded.replace(/=+$/u, '')) return `is no Base64 after ${PREFIX}; ${form}`
  return key.length >= 24 && key.length <= 64 ? undefined : `has ${key.length} bytes instead of 24 to 64; ${form}`
}

/** The key that a secret stands for. */
export const secretKey = (secret: string): Buffer => Buffer.from(secret.slice(PREFIX.length), 'base64')
