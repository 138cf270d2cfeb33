import { cpus } from 'node:os'

/** On what was measured, and how: what somebody needs who wants to have the same again. */
export interface Environment {
  readonly command: string
  readonly time: string
  readonly node: string
  readonly platform: string
  readonly cores: number
  readonly cpu: string
  /** Servers had the first core for themselves. */
  readonly isPinned: boolean
}

export const readEnvironment = (args: readonly string[], isPinned: boolean): Environment => ({
  command: ['npm run bench', ...(args.length > 0 ? ['--', ...args] : [])].join(' '),
  time: new Date().toISOString(),
  node: process.version,
  platform: `${process.platform} ${process.arch}`,
  cores: cpus().length,
  cpu: cpus()[0]?.model ?? 'unknown',
  isPinned,
})

/** With its words, for people. */
export const environmentLines = ({ command, time, node, platform, cores, cpu, isPinned }: Environment): readonly string[] => [
  command,
  `${time.slice(0, 16).replace('T', ' ')} UTC`,
  `Node ${node}, ${platform}`,
  `${cores} × ${cpu}`,
  isPinned ? 'servers on the first core, the load on the others' : 'servers on no core of their own',
]
