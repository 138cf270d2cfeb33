import { brokerName } from '../broker-name.ts'

/**
 * A name as one token of a key or of a bucket's name: what {@link brokerName} makes of it, with `=` for `%`, which the tools for
 * key-value buckets do not take. In nothing that it gives a small letter other than `u` follows a `=`.
 */
export const kvToken = (name: string): string => brokerName(name).replaceAll('%', '=')

/** The name that {@link kvToken} was given. */
export const kvName = (token: string): string =>
  token
    .split(/(=u[0-9A-F]{4})/u)
    .map((part) =>
      part.startsWith('=u')
        ? String.fromCharCode(Number.parseInt(part.slice(2), 16))
        : decodeURIComponent(part.replaceAll('=', '%')),
    )
    .join('')
