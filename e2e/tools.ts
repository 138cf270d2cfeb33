import { spawnSync } from 'node:child_process'

/** A program besides Node that a black-box suite drives. */
export interface Tool {
  readonly command: string
  readonly debianPackage: string
  readonly suite: string
  /** Whether what is installed can do what the suite needs. */
  readonly works: () => boolean
}

/** Debian keeps servers where the path of most users does not look. */
const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/usr/local/sbin` }

const prints = (command: string, args: readonly string[], text: RegExp): boolean => {
  const { stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', timeout: 30_000, env })
  return !error && text.test(stdout + stderr)
}

export const TOOLS: readonly Tool[] = [
  {
    command: 'chromium',
    debianPackage: 'chromium',
    suite: 'browser',
    works: () => prints('chromium', ['--version'], /Chromium/),
  },
  { command: 'curl', debianPackage: 'curl', suite: 'curl', works: () => prints('curl', ['--version'], /HTTP2/) },
  {
    command: 'nghttp',
    debianPackage: 'nghttp2-client',
    suite: 'nghttp',
    works: () => prints('nghttp', ['--version'], /nghttp2/),
  },
  {
    command: 'redis-server',
    debianPackage: 'redis-server',
    suite: 'redis',
    works: () => prints('redis-server', ['--version'], /v=([7-9]|\d{2,})\./),
  },
  {
    command: 'redis-sentinel',
    debianPackage: 'redis-sentinel',
    suite: 'redis-sentinel',
    works: () => prints('redis-sentinel', ['--version'], /v=/),
  },
  {
    command: 'redis-cli',
    debianPackage: 'redis-tools',
    suite: 'redis-cluster',
    works: () => prints('redis-cli', ['--version'], /redis-cli/),
  },
  {
    command: 'nats-server',
    debianPackage: 'nats-server',
    suite: 'nats',
    works: () => prints('nats-server', ['--version'], /v2\./),
  },
  { command: 'openssl', debianPackage: 'openssl', suite: 'openssl', works: () => prints('openssl', ['version'], /OpenSSL/) },
]

export const missingTools = (): readonly Tool[] => TOOLS.filter(({ works }) => !works())

export const hasTool = (command: string): boolean => TOOLS.some((tool) => tool.command === command && tool.works())
