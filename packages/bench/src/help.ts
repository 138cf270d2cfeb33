import type { ScenarioOption } from './frame/scenario.ts'
import { DIALECTS } from './load/dialect.ts'
import { DEFAULT_SCENARIOS, SCENARIOS } from './scenarios/scenarios.ts'

/** Of the options with their values, and a gap. */
const OPTION_WIDTH = 19
/** That of the longest, and a gap. */
const NAME_WIDTH = Math.max(...SCENARIOS.map(({ name }) => name.length)) + 2

const described = (name: string, text: string): string =>
  text
    .split('\n')
    .map((line, index) => `  ${(index === 0 ? name : '').padEnd(NAME_WIDTH)}${line}`)
    .join('\n')

/** Wrapped behind the option's name. */
const takers = (option: ScenarioOption): string =>
  `\n${' '.repeat(OPTION_WIDTH)}${SCENARIOS.filter(({ takes }) => takes.includes(option))
    .map(({ name }) => name)
    .join(', ')}`

export const HELP = `Usage: npm run bench -- [scenario ...] [options]

Measures Fusewire beside what one might take instead, in one run and by turns: servers are processes on a core of their own (where
taskset exists), the load is another. What counts are ratios.

Scenarios (default: ${DEFAULT_SCENARIOS.map(({ name }) => name).join(', ')}; all runs every one, which takes hours):
${SCENARIOS.map(({ name, summary }) => described(name, summary)).join('\n')}
${described('cluster', 'publications a second over Redis and NATS, with 1, 2 and 3 nodes, beside a bare loop of the same commands and beside\nrelays that do nothing else; starts redis-server and nats-server of its own')}

Options:
  --quick          CPU time and memory alone, in under two minutes on a quiet machine; ends with 1 when a target is missed by more
                   than a fifth, twice
  --rounds N       starts of each candidate; tables show medians (default: the scenario's own; 2 at most with --quick)
  --seconds N      how long a candidate is measured in each round, where that is a matter of time
  --clients N      in place of the scenario's own numbers of clients; for${takers('clients')}
  --bytes N        in place of the scenario's own sizes of messages; for${takers('bytes')}
  --only TEXT      candidates whose name is this; may be repeated
  --case TEXT      cases whose name begins with this; may be repeated
  --url URL        a server elsewhere to measure too: ws://host:port or wss://host:port, with a path where it is not the dialect's own
  --dialect NAME   what that server speaks: ${Object.keys(DIALECTS).join(', ')}
  --report FOLDER  where results.json and report.html (tables and charts) are put (default: bench-results)
  --json           print the results as JSON instead
  -h, --help

For cluster: --broker redis|nats, --nodes N, --channels N (default 16), --window N (publications under way; default 256), --bytes,
--seconds, --rounds, --json.

Examples:
  npm run bench
  npm run bench -- --quick
  npm run bench -- fan-out --case plain --only bare --only fusewire --clients 5000 --rounds 3
  npm run bench -- fan-out --url ws://127.0.0.1:8000 --dialect socket.io
  npm run bench -- slow-consumer --seconds 60
  npm run bench -- cluster --broker redis --nodes 2`
