import { isIP } from 'node:net'
import { trustedProxyProblem } from '../addresses/trusted-proxies.ts'
import { jwksUrlProblem } from '../auth/jwks-url.ts'
import { originProblem } from '../auth/origin-pattern.ts'
import { checkBroker } from './check-broker.ts'
import { checkHooks } from './check-hooks.ts'
import { checkRule } from './check-rule.ts'
import type { ConfigurationProblem } from './configuration-error.ts'
import type { FusewireOptions } from './options.ts'

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || host === '[::1]' || (isIP(host) === 4 && host.startsWith('127.'))

const checkDevelopment = (options: FusewireOptions, nodeEnv: string | undefined): ConfigurationProblem[] => {
  if (!options.development) return []
  if (nodeEnv === 'production')
    return [
      {
        option: 'development',
        message: 'development mode lets everyone do everything and is refused while NODE_ENV is production; turn one of them off',
      },
    ]
  if (!isLoopback(options.host) && !options.developmentOnAllInterfaces)
    return [
      {
        option: 'development',
        message: `development mode lets everyone do everything, and other machines can reach ${options.host}; leave host out, or set developmentOnAllInterfaces: true if that is what you want`,
      },
    ]
  return []
}

const checkListener = (options: FusewireOptions): ConfigurationProblem[] => {
  const problems: ConfigurationProblem[] = []
  if (!options.tls && options.cleartextPort === undefined)
    problems.push({
      option: 'tls',
      message: 'there is nothing to listen on: tls is false, so set cleartextPort, for example to 8080',
    })
  if (options.tls && options.port !== 0 && options.port === options.cleartextPort)
    problems.push({ option: 'cleartextPort', message: `port is ${options.port} as well; the two listeners need a port each` })
  if (options.tlsKeyFile !== undefined && options.tlsCertFile === undefined)
    problems.push({ option: 'tlsKeyFile', message: 'a key without its certificate: set tlsCertFile too' })
  if (options.tlsCertFile !== undefined && options.tlsKeyFile === undefined)
    problems.push({ option: 'tlsCertFile', message: 'a certificate without its key: set tlsKeyFile too' })
  if (!options.tls && options.tlsClientCaFile !== undefined)
    problems.push({ option: 'tlsClientCaFile', message: 'client certificates need TLS, and tls is false' })
  return problems
}

const checkOrigins = (options: FusewireOptions): ConfigurationProblem[] =>
  options.allowedOrigins.flatMap((origin, index) => {
    const message = originProblem(origin)
    return message === undefined ? [] : [{ option: `allowedOrigins[${index}]`, message }]
  })

const checkProxies = (options: FusewireOptions): ConfigurationProblem[] =>
  options.trustedProxies.flatMap((entry, index) => {
    const message = trustedProxyProblem(entry)
    return message === undefined ? [] : [{ option: `trustedProxies[${index}]`, message }]
  })

const checkJwksUrl = ({ jwksUrl, development }: FusewireOptions): ConfigurationProblem[] => {
  const message = jwksUrl === undefined ? undefined : jwksUrlProblem(jwksUrl, development)
  return message === undefined ? [] : [{ option: 'jwksUrl', message }]
}

const checkAccess = (options: FusewireOptions): ConfigurationProblem[] => {
  const { jwtSecret, jwtPublicKeyFile, jwksUrl, allowAnonymous, development } = options
  const publicKeys = jwtPublicKeyFile !== undefined || jwksUrl !== undefined
  const isJudged = options.hooks.some(({ events }) => events.includes('connect'))
  if (jwtSecret === undefined && !publicKeys && !isJudged && !allowAnonymous && !development)
    return [
      {
        message:
          'no client could connect: set jwtSecret, jwtPublicKeyFile or jwksUrl to accept tokens, hooks to ask a backend, allowAnonymous: true to go without, or development: true to try things out on this machine',
      },
    ]
  return (options.jwtAlgorithms ?? []).flatMap((algorithm) => {
    const symmetric = algorithm.startsWith('HS')
    if (symmetric ? jwtSecret !== undefined : publicKeys) return []
    const need = symmetric ? 'jwtSecret' : 'jwtPublicKeyFile or jwksUrl'
    return [{ option: 'jwtAlgorithms', message: `${algorithm} needs ${need}` }]
  })
}

const checkLimits = (options: FusewireOptions): ConfigurationProblem[] =>
  options.maxBufferedBytes >= options.maxMessageBytes
    ? []
    : [
        {
          option: 'maxBufferedBytes',
          message: `is less than maxMessageBytes (${options.maxMessageBytes}), so that one message would disconnect its readers; raise it or lower the other`,
        },
      ]

const checkDrain = ({ drainDelayMs, drainWindowMs, drainTimeoutMs }: FusewireOptions): ConfigurationProblem[] =>
  drainDelayMs + drainWindowMs <= drainTimeoutMs
    ? []
    : [
        {
          option: 'drainTimeoutMs',
          message: `is ${drainTimeoutMs}, less than drainDelayMs and drainWindowMs together (${drainDelayMs} + ${drainWindowMs}), which are parts of it; raise it or lower them`,
        },
      ]

const checkRules = (options: FusewireOptions): ConfigurationProblem[] =>
  options.rules.flatMap((rule, index) => {
    const problems = checkRule(rule)
    const first = options.rules.findIndex(({ pattern }) => pattern === rule.pattern)
    if (first !== index)
      problems.push({ option: 'pattern', message: `rules[${first}] has the same pattern and comes first; remove one of them` })
    return problems.map(({ option, message }) => ({ option: `rules[${index}].${option}`, message }))
  })

/** Finds what no single option can be blamed for. */
export const checkOptions = (options: FusewireOptions, nodeEnv: string | undefined): ConfigurationProblem[] => [
  ...checkDevelopment(options, nodeEnv),
  ...checkListener(options),
  ...checkOrigins(options),
  ...checkProxies(options),
  ...checkJwksUrl(options),
  ...checkAccess(options),
  ...checkLimits(options),
  ...checkDrain(options),
  ...checkRules(options),
  ...checkHooks(options),
  ...checkBroker(options),
]
