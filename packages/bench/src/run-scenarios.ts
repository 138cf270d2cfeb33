import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type CommandLine, UsageError } from './command-line.ts'
import { type Environment, environmentLines, readEnvironment } from './frame/environment.ts'
import { htmlReport } from './frame/html-report.ts'
import { progressBar } from './frame/progress-bar.ts'
import { resultsAsJson, type ScenarioResult } from './frame/results.ts'
import { runScenario } from './frame/run-scenario.ts'
import type { ExternalServer, RunOptions, Scenario, Trial } from './frame/scenario.ts'
import { scenarioTable } from './frame/scenario-table.ts'
import { withSecondTry } from './frame/second-try.ts'
import { TARGETS } from './frame/targets.ts'
import { judge, verdictTable } from './frame/verdict.ts'
import { checkServer } from './load/check-server.ts'
import { mostConnections } from './load/open-files.ts'
import { isPinned, pinLoad } from './load/server-process.ts'
import { externalDialect } from './scenarios/external-candidate.ts'
import { SCENARIOS } from './scenarios/scenarios.ts'

const MAKE_CERTIFICATE = fileURLToPath(new URL('./servers/make-certificate.js', import.meta.url))
const REPORT_DIRECTORY = 'bench-results'
/** As many as two minutes have room for. */
const MOST_QUICK_ROUNDS = 2

interface Planned {
  readonly scenario: Scenario
  readonly trials: readonly Trial[]
}

/** Runs what the command line asks for, prints and writes the results; `args` are what was typed. Resolves with the exit code. */
export const runScenarios = async (commandLine: CommandLine, args: readonly string[]): Promise<number> => {
  const directory = mkdtempSync(join(tmpdir(), 'fusewire-bench-'))
  const clean = (): void => rmSync(directory, { recursive: true, force: true })
  process.once('exit', clean)
  try {
    const options = { ...commandLine, certificateFile: makeCertificate(directory) }
    const planned = scenariosOf(commandLine).map((scenario) => planOf(scenario, options))
    if (planned.every(({ trials }) => trials.length === 0)) throw new UsageError(nothingLeft(commandLine, options))
    if (options.external) await assertSpeaks(options.external)
    pinLoad()
    const results: ScenarioResult[] = []
    for (const plan of planned) results.push(await resultOf(plan, commandLine))
    progressBar.clear()
    print(results, commandLine, readEnvironment(args, isPinned))
    return commandLine.isQuick ? quickExitCode(results) : 0
  } finally {
    clean()
  }
}

/** Says on standard error what has become much slower, and is not only a little short of its target. */
const quickExitCode = (results: readonly ScenarioResult[]): number => {
  const broken = results.flatMap(({ verdicts }) => verdicts).filter(({ isBroken }) => isBroken)
  for (const { target, case: name } of broken) console.error(`Missed by more than a fifth, twice: ${target.title} (${name})`)
  return broken.length > 0 ? 1 : 0
}

const makeCertificate = (directory: string): string => {
  const file = join(directory, 'development.pem')
  const { stderr } = spawnSync(process.execPath, [MAKE_CERTIFICATE, directory], {
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  if (!existsSync(file)) throw new Error(`no certificate could be made: ${stderr}`)
  return file
}

const assertSpeaks = async (external: ExternalServer): Promise<void> => {
  const { host, port } = external.address
  try {
    await checkServer(external.address, externalDialect(external))
  } catch (error) {
    throw new UsageError(`${host}:${port} does not speak ${external.dialect}: ${(error as Error).message}`, { cause: error })
  }
}

const scenariosOf = ({ scenarios }: CommandLine): readonly Scenario[] => SCENARIOS.filter(({ name }) => scenarios.includes(name))

/** Names what could have been chosen. */
const nothingLeft = (commandLine: CommandLine, options: RunOptions): string => {
  const trials = scenariosOf(commandLine).flatMap((scenario) => scenario.plan(options))
  const list = (names: readonly string[]): string => [...new Set(names)].map((name) => `\n  ${name}`).join('')
  return `--only and --case leave nothing to measure. The cases begin with what --case says:${list(trials.map((trial) => trial.case))}
and the candidates are named as --only says:${list(trials.map(({ candidate }) => candidate))}`
}

const planOf = (scenario: Scenario, options: RunOptions & CommandLine): Planned => {
  const { only, cases } = options
  const trials = scenario
    .plan(options)
    .filter(({ candidate }) => only.length === 0 || only.includes(candidate))
    .filter(({ case: name }) => cases.length === 0 || cases.some((text) => name.startsWith(text)))
  return { scenario, trials }
}

/** With `--quick`, what misses its target by much has a second try. */
const resultOf = async ({ scenario, trials }: Planned, { isQuick, rounds: asked }: CommandLine): Promise<ScenarioResult> => {
  const rounds = asked ?? (isQuick ? Math.min(scenario.rounds, MOST_QUICK_ROUNDS) : scenario.rounds)
  const limits = { rounds, mostConnections: mostConnections() }
  const measure = (some: readonly Trial[]) => runScenario(scenario, some, limits, progressBar.show)
  if (isQuick) return { scenario, rounds, ...(await withSecondTry(TARGETS, scenario.name, trials, measure)) }
  const measured = await measure(trials)
  return { scenario, rounds, measured, verdicts: judge(TARGETS, scenario.name, measured) }
}

const print = (
  results: readonly ScenarioResult[],
  { isJson, reportDirectory = REPORT_DIRECTORY }: CommandLine,
  environment: Environment,
): void => {
  const json = resultsAsJson(results, environment)
  const folder = resolve(reportDirectory)
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'results.json'), json)
  writeFileSync(join(folder, 'report.html'), htmlReport(results, environment))
  if (isJson) {
    console.log(json)
    return
  }
  console.log(environmentLines(environment).join(', '))
  for (const { scenario, rounds, measured } of results) {
    console.log(`\n${scenario.name}: ${scenario.summary.replaceAll('\n', ' ')}; medians of ${rounds}\n`)
    console.log(scenarioTable(scenario, measured))
  }
  const verdicts = results.flatMap((result) => result.verdicts)
  if (verdicts.length > 0) console.log(`\n${verdictTable(verdicts)}`)
  console.log(`\nReport: ${join(folder, 'report.html')}`)
}
