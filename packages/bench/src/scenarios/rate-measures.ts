import type { Measure } from '../frame/scenario.ts'
import { SERVER_CPU } from '../frame/scenario-table.ts'

/** The measures of everything that is done as often as possible; see `rates`. The one by CPU time tells servers apart. */
export const rateMeasures = (operations: string): readonly Measure[] => [
  { name: 'perSecond', title: `${operations}/s`, digits: 0, isMoreBetter: true },
  { name: 'perCpuSecond', title: `${operations}/CPU s`, digits: 0, isMoreBetter: true },
  SERVER_CPU,
  { name: 'loadCpu', title: 'load CPU', digits: 2 },
  { name: 'between', title: 'between windows', digits: 3 },
]
