/**
 * `npm test`: installs the tools that the black-box tests use (on Debian, as root), builds, checks and runs the tests; those of clusters
 * under faults, which take minutes, are `npm run test:cluster`.
 * Says in one line what is missing and which suites did not run; with CI=true a missing tool is a failure.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { missingTools, TOOLS } from '../e2e/tools.ts'

const run = (command: string, args: readonly string[], quiet = false): boolean => {
  const { status } = spawnSync(command, args, { stdio: quiet ? 'ignore' : 'inherit', shell: process.platform === 'win32' })
  return status === 0
}

const step = (title: string, command: string, args: readonly string[]): void => {
  console.log(`\n▸ ${title}`)
  if (run(command, args)) return
  console.error(`\n✗ ${title} failed`)
  process.exit(1)
}

const POLICY = '/usr/sbin/policy-rc.d'

/**
 * Installs packages of Debian and starts no service: tests start servers of their own. With the policy in place `deb-systemd-invoke`
 * and `invoke-rc.d` start nothing, and what was not there before does not start with the machine either.
 */
const installQuietly = (packages: readonly string[]): void => {
  const isOurs = !existsSync(POLICY)
  if (isOurs) writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  try {
    run('apt-get', ['update', '-qq'], true)
    run(
      'env',
      ['DEBIAN_FRONTEND=noninteractive', 'apt-get', 'install', '-y', '-qq', '--no-install-recommends', ...packages],
      true,
    )
    const services = packages.filter((name) => /^(redis-(server|sentinel)|nats-server)$/.test(name))
    if (services.length > 0) run('systemctl', ['disable', '--quiet', ...services], true)
  } finally {
    if (isOurs) rmSync(POLICY)
  }
}

const install = (): void => {
  const missing = missingTools()
  if (missing.length === 0 || !existsSync('/etc/debian_version') || process.getuid?.() !== 0) return
  const packages = missing.map(({ debianPackage }) => debianPackage)
  console.log(`▸ installing ${packages.join(', ')}`)
  installQuietly(packages)
}

install()
const missing = missingTools()
for (const { command, debianPackage, suite } of missing) {
  console.error(`! ${command} is missing: the suite "${suite}" does not run. On Debian: apt-get install ${debianPackage}`)
}
if (missing.length > 0 && process.env.CI === 'true') process.exit(1)

step('Build', 'npm', ['run', '--silent', 'build'])
step('Lint and format', 'biome', ['check', '.'])
step('Types of the tests', 'tsc', ['-p', 'tsconfig.tests.json'])
step('Tests', 'vitest', ['run', '--project', 'unit', '--project', 'e2e', ...process.argv.slice(2)])

const skipped = missing.map(({ suite }) => suite)
if (skipped.length > 0)
  console.error(`\n! Not run, for want of tools: ${skipped.join(', ')} (of ${TOOLS.length} suites with tools)`)
