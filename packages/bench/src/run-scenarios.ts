import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type CommandLine, UsageError } from './command-line.ts'
import { htmlReport } from './frame/html-report.ts'
import { progressBar } from './frame/progress-bar.ts'
import { resultsAsJson, type ScenarioResult } from './frame/results.ts'
import { runScenario } from './frame/run-scenario.ts'
import type { RunOptions, Scenario, Trial } from './frame/scenario.ts'
import { scenarioTable } from './frame/scenario-table.ts'
import { TARGETS } from './frame/targets.ts'
import { judge, verdictTable } from './frame/verdict.ts'
import { isPinned, pinLoad } from './load/server-process.ts'
import { QUICK_SCENARIOS, SCENARIOS } from './scenarios/scenarios.ts'

const MAKE_CERTIFICATE = fileURLToPath(new URL('./servers/make-certificate.js', import.meta.url))
const REPORT_DIRECTORY = 'bench-results'

interface Planned {
  readonly scenario: Scenario
  readonly trials: readonly Trial[]
}

/** Runs what the command line asks for, prints and writes the results. Resolves with the exit code. */
export const runScenarios = async (commandLine: CommandLine): Promise<number> => {
  const directory = mkdtempSync(join(tmpdir(), 'fusewire-bench-'))
  const clean = (): void => rmSync(directory, { recursive: true, force: true })
  process.once('exit', clean)
  try {
    const options = { ...commandLine, certificateFile: makeCertificate(directory) }
    const planned = scenariosOf(commandLine).map((scenario) => planOf(scenario, options))
    if (planned.every(({ trials }) => trials.length === 0))
      throw new UsageError('no candidate of the scenario is left by --only and --case')
    pinLoad()
    const results: ScenarioResult[] = []
    for (const plan of planned) results.push(await resultOf(plan, commandLine))
    progressBar.clear()
    print(results, commandLine)
    return commandLine.isQuick && results.some(({ verdicts }) => verdicts.some(({ isBroken }) => isBroken)) ? 1 : 0
  } finally {
    clean()
  }
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

const scenariosOf = ({ scenarios, isQuick, external }: CommandLine): readonly Scenario[] => {
  const chosen =
    scenarios.length > 0
      ? SCENARIOS.filter(({ name }) => scenarios.includes(name))
      : isQuick
        ? QUICK_SCENARIOS
        : SCENARIOS.slice(0, 1)
  const refused = external && chosen.find(({ takesExternal }) => takesExternal !== true)
  if (refused) throw new UsageError(`${refused.name} cannot measure a server elsewhere`)
  return chosen
}

const planOf = (scenario: Scenario, options: RunOptions & CommandLine): Planned => {
  const { only, cases } = options
  const trials = scenario
    .plan(options)
    .filter(({ candidate }) => only.length === 0 || only.includes(candidate))
    .filter(({ case: name }) => cases.length === 0 || cases.some((text) => name.startsWith(text)))
  return { scenario, trials }
}

/** With `--quick`, what misses its target by much is measured once more, and the second time counts: whole cases, to be fair. */
const resultOf = async ({ scenario, trials }: Planned, { isQuick, rounds: asked }: CommandLine): Promise<ScenarioResult> => {
  const rounds = asked ?? (isQuick ? 1 : scenario.rounds)
  const measured = await runScenario(scenario, trials, rounds, progressBar.show)
  const verdicts = judge(TARGETS, scenario.name, measured)
  const broken = new Set(verdicts.filter(({ isBroken }) => isBroken).map((verdict) => verdict.case))
  if (!isQuick || broken.size === 0) return { scenario, rounds, measured, verdicts }
  const again = trials.filter((trial) => broken.has(trial.case))
  const second = await runScenario(scenario, again, rounds, progressBar.show)
  const final = measured.map((row) => second.find(({ trial }) => trial === row.trial) ?? row)
  return { scenario, rounds, measured: final, verdicts: judge(TARGETS, scenario.name, final) }
}

const environment = (): object => ({
  node: process.version,
  platform: `${process.platform} ${process.arch}`,
  cores: cpus().length,
  cpu: cpus()[0]?.model,
  isPinned,
  time: new Date().toISOString(),
})

const environmentLine = (): string =>
  Object.entries(environment())
    .map(([name, value]) => `${name} ${value}`)
    .join(', ')

const print = (results: readonly ScenarioResult[], { isJson, reportDirectory = REPORT_DIRECTORY }: CommandLine): void => {
  const json = resultsAsJson(results, environment())
  const folder = resolve(reportDirectory)
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'results.json'), json)
  writeFileSync(join(folder, 'report.html'), htmlReport(results, environmentLine()))
  if (isJson) {
    console.log(json)
    return
  }
  console.log(environmentLine())
  for (const { scenario, rounds, measured } of results) {
    console.log(`\n${scenario.name}: ${scenario.summary.replaceAll('\n', ' ')}; medians of ${rounds}\n`)
    console.log(scenarioTable(scenario, measured))
  }
  const verdicts = results.flatMap((result) => result.verdicts)
  if (verdicts.length > 0) console.log(`\n${verdictTable(verdicts)}`)
  console.log(`\nReport: ${join(folder, 'report.html')}`)
}
