import { spawn } from 'node:child_process'
import type { Duplex } from 'node:stream'
import { CONTROL_FD, type ControlHandlers, HUB_FD, type ToPrimary, type ToWorker } from './control.ts'
import { ControlSocket } from './control-socket.ts'

/** How a worker's process is started. */
export interface WorkerCommand {
  readonly file: string
  readonly args: readonly string[]
}

export interface WorkerExit {
  /** Null when a signal has ended it, or when it could not be started. */
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly error?: Error
}

/** A worker's process, as the primary has it. */
export class WorkerProcess {
  readonly pid: number
  /** The end of its line to the hub; undefined where there is none. */
  readonly hubSocket: Duplex | undefined
  readonly #child: ReturnType<typeof spawn>
  readonly #control: ControlSocket<ToWorker, ToPrimary> | undefined
  #hasEnded = false

  constructor(
    { file, args }: WorkerCommand,
    hasHub: boolean,
    handlers: ControlHandlers<ToPrimary>,
    onExit: (exit: WorkerExit) => void,
  ) {
    // More than three are Unix sockets, of which the child has the other end: nobody else can come between, and no file stays behind.
    this.#child = spawn(file, args, { stdio: ['ignore', 'inherit', 'inherit', 'pipe', ...(hasHub ? (['pipe'] as const) : [])] })
    this.pid = this.#child.pid ?? 0
    const ended = (exit: WorkerExit): void => {
      if (this.#hasEnded) return
      this.#hasEnded = true
      this.#control?.close()
      onExit(exit)
    }
    this.#child.once('exit', (code, signal) => ended({ code, signal }))
    this.#child.on('error', (error) => {
      if (this.#child.pid === undefined) ended({ code: null, signal: null, error })
    })
    const control = this.#socket(CONTROL_FD)
    this.#control = control && new ControlSocket(control, handlers, () => {})
    this.hubSocket = this.#socket(HUB_FD)
  }

  tell<Name extends keyof ToWorker>(name: Name, ...values: ToWorker[Name]): void {
    this.#control?.tell(name, ...values)
  }

  /** Ends it at once. */
  kill(): void {
    if (!this.#hasEnded) this.#child.kill('SIGKILL')
  }

  #socket(fd: number): Duplex | undefined {
    return (this.#child.stdio[fd] ?? undefined) as Duplex | undefined
  }
}
