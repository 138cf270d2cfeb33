import { constants } from 'node:os'
import { CLUSTER, readCommandLine, UsageError } from './command-line.ts'
import { HELP } from './help.ts'
import { runCluster } from './run-cluster.ts'
import { runScenarios } from './run-scenarios.ts'
import { DEFAULT_SCENARIOS, QUICK_SCENARIOS, SCENARIOS } from './scenarios/scenarios.ts'

const WRONG_USAGE = 2

const run = async (args: readonly string[]): Promise<number> => {
  const commandLine = readCommandLine(args, { all: SCENARIOS, byDefault: DEFAULT_SCENARIOS, quick: QUICK_SCENARIOS })
  if (commandLine.isHelp) console.log(HELP)
  else if (commandLine.scenarios.includes(CLUSTER)) await runCluster(commandLine)
  else return runScenarios(commandLine, args)
  return 0
}

// Servers that were started, and files that were made, go with the process, however it ends.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(128 + constants.signals[signal]))

try {
  process.exit(await run(process.argv.slice(2)))
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  console.error(`${error.message}\n\nnpm run bench -- --help tells what there is.`)
  process.exit(WRONG_USAGE)
}
