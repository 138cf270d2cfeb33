import { spawnSync } from 'node:child_process'

/** A program besides Node that a black-box suite drives. */
export interface Tool {
  readonly command: string
  readonly debianPackage: string
  readonly suite: string
  /** Whether what is installed can do what the suite needs. */
  readonly works: () => boolean
}

const prints = (command: string, args: readonly string[], text: RegExp): boolean => {
  const { stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', timeout: 30_000 })
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
  { command: 'openssl', debianPackage: 'openssl', suite: 'openssl', works: () => prints('openssl', ['version'], /OpenSSL/) },
]

export const missingTools = (): readonly Tool[] => TOOLS.filter(({ works }) => !works())

export const hasTool = (command: string): boolean => TOOLS.some((tool) => tool.command === command && tool.works())
