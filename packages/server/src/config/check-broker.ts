import { isNatsAddress, natsAddressProblem } from '../brokers/nats/nats-address.ts'
import { isRedisAddress, redisAddressProblem } from '../brokers/redis/redis-address.ts'
import type { ConfigurationProblem } from './configuration-error.ts'
import type { FusewireOptions } from './options.ts'

const SCHEMES = ['redis:', 'rediss:', 'nats:', 'tls:']

const schemeOf = (address: string): string => /^[a-z][a-z\d+.-]*:/iu.exec(address)?.[0].toLowerCase() ?? ''

/** Addresses may hold a password: messages say which one is wrong, and never repeat it. */
const checkAddress = (address: string, index: number, { redisMode }: FusewireOptions): ConfigurationProblem[] => {
  const option = `broker[${index}]`
  if (!SCHEMES.includes(schemeOf(address)))
    return [
      {
        option,
        message: 'is no address of a broker; write memory alone, or addresses of redis://, rediss://, nats:// or tls://',
      },
    ]
  const message = isNatsAddress(address) ? natsAddressProblem(address) : redisAddressProblem(address, redisMode)
  return message === undefined ? [] : [{ option, message }]
}

/** What is wrong with the broker's options. */
export const checkBroker = (options: FusewireOptions): ConfigurationProblem[] => {
  const { broker, redisMode, natsReplicas, natsCredentialsFile, brokerPrefix, snapshotFile } = options
  const isMemory = broker.length === 1 && broker[0] === 'memory'
  const isRedis = broker.every(isRedisAddress)
  const problems: ConfigurationProblem[] = []
  const forNats = { natsReplicas: natsReplicas > 1, natsCredentialsFile: natsCredentialsFile !== undefined }
  for (const [option, isSet] of Object.entries(forNats))
    if (isSet && isRedis) problems.push({ option, message: 'is for NATS, and broker has addresses of Redis; leave it out' })
  if (redisMode !== 'standalone' && !isRedis)
    problems.push({
      option: 'redisMode',
      message: `is ${redisMode}, and broker has no addresses of Redis; set broker, or leave it out`,
    })
  if (isMemory) return problems
  problems.push(...broker.flatMap((address, index) => checkAddress(address, index, options)))
  if (problems.length > 0) return problems
  if (new Set(broker.map(schemeOf)).size > 1)
    problems.push({
      option: 'broker',
      message: 'has addresses of different schemes; all of them have to be of one broker, with TLS or without',
    })
  if (isRedis && redisMode === 'standalone' && broker.length > 1)
    problems.push({
      option: 'broker',
      message: 'has several addresses, and redisMode is standalone: give one, or set redisMode to sentinel or cluster',
    })
  if (isRedis && new Set(broker.map(credentials)).size > 1)
    problems.push({
      option: 'broker',
      message: 'has addresses with different users, passwords or databases; all servers need the same',
    })
  // What stands between braces decides where Redis Cluster keeps it.
  if (isRedis && !/^[\w.:-]+$/u.test(brokerPrefix))
    problems.push({ option: 'brokerPrefix', message: 'may have letters, digits and the signs - _ . : alone' })
  if (snapshotFile !== undefined)
    problems.push({ option: 'snapshotFile', message: 'is for the memory broker; leave it out, or the broker' })
  return problems
}

const credentials = (address: string): string => {
  const { username, password, pathname } = new URL(address)
  return JSON.stringify([username, password, pathname.replace(/^\/0?$/u, '')])
}
