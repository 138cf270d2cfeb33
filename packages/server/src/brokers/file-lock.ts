import { randomUUID } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'
import { readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'

/** Who holds a lock. */
export interface LockHolder {
  readonly id: string
  /** Where its process number means something: the machine, and on it the namespace, for every container may have a process 1. */
  readonly place: string
  readonly pid: number
  /** When the process was started, in the system's ticks, since numbers are given again; empty where the system does not tell. */
  readonly startedAt: string
}

const holderSchema = z.object({ id: z.string(), place: z.string(), pid: z.int(), startedAt: z.string() })

/** Somebody else holds the lock. */
export class LockHeld extends Error {
  override readonly name = 'LockHeld'
  readonly holder: LockHolder | undefined

  constructor(path: string, holder: LockHolder | undefined) {
    super(`${path} is held by ${holder ? `process ${holder.pid} on ${holder.place}` : 'somebody who has not said who it is'}`)
    this.holder = holder
  }
}

/** How often {@link FileLock.touch} is to be called at least. */
export const LOCK_TOUCH_MS = 1000

/** A holder elsewhere that has not touched its lock for so long is gone. */
const WATCH_MS = 5 * LOCK_TOUCH_MS
const LOOK_MS = 100

/**
 * A file that says that another one is in use. The system gives a lock of its kind no end of its own, so one that a process has left
 * behind is known by what it says: in the same place by the process, which is gone, and elsewhere by nobody touching it.
 */
export class FileLock {
  readonly #path: string
  readonly #id: string

  private constructor(path: string, id: string) {
    this.#path = path
    this.#id = id
  }

  /**
   * Takes the lock; over from a holder that is gone, too, which takes some seconds where only silence tells.
   * @throws LockHeld, or what the system says.
   */
  static async acquire(path: string): Promise<FileLock> {
    const own: LockHolder = { id: randomUUID(), place: place(), pid: process.pid, startedAt: startOf(process.pid) }
    for (;;) {
      try {
        await writeFile(path, JSON.stringify(own), { flag: 'wx', mode: 0o600 })
        return new FileLock(path, own.id)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      }
      const holder = await readHolder(path)
      if (await isAlive(path, holder)) throw new LockHeld(path, holder)
      await removeOf(path, holder)
    }
  }

  /** Shows other machines that the holder is there. Never fails: who cannot touch it is told by {@link assertHeld}. */
  async touch(): Promise<void> {
    const now = new Date()
    await utimes(this.#path, now, now).catch(() => undefined)
  }

  /** @throws LockHeld when somebody has taken it over from a process that stood still for too long. */
  async assertHeld(): Promise<void> {
    const holder = await readHolder(this.#path)
    if (holder?.id !== this.#id) throw new LockHeld(this.#path, holder)
  }

  /** Idempotent. */
  async release(): Promise<void> {
    const holder = await readHolder(this.#path).catch(() => undefined)
    if (holder?.id === this.#id) await rm(this.#path, { force: true })
  }
}

/** Undefined when there is none, or what is there cannot be read: it is being written, or a power failure has emptied it. */
const readHolder = async (path: string): Promise<LockHolder | undefined> => {
  try {
    return holderSchema.parse(JSON.parse(await readFile(path, 'utf8')))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === undefined || code === 'ENOENT') return undefined
    throw error
  }
}

const isAlive = async (path: string, holder: LockHolder | undefined): Promise<boolean> =>
  holder?.place === place() ? isRunning(holder) : isTouched(path)

const isRunning = ({ pid, startedAt }: LockHolder): boolean => {
  try {
    process.kill(pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
  }
  return startOf(pid) === startedAt
}

/** Whether anybody touches the lock while it is watched. */
const isTouched = async (path: string): Promise<boolean> => {
  const before = await touchedAt(path)
  for (let watched = 0; watched < WATCH_MS; watched += LOOK_MS) {
    await delay(LOOK_MS)
    const now = await touchedAt(path)
    if (now === undefined) return false
    if (now !== before) return true
  }
  return false
}

const touchedAt = async (path: string): Promise<number | undefined> => {
  try {
    return (await stat(path)).mtimeMs
  } catch {
    return undefined
  }
}

/** Removes the lock of a holder that is gone, and of no other: whoever came first in the meantime gets its own back. */
const removeOf = async (path: string, holder: LockHolder | undefined): Promise<void> => {
  const aside = `${path}.${randomUUID()}`
  try {
    await rename(path, aside)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
  const taken = await readHolder(aside)
  if (taken?.id === holder?.id) await rm(aside, { force: true })
  else await rename(aside, path)
}

const place = (): string => {
  try {
    return `${hostname()} ${readlinkSync('/proc/self/ns/pid')}`
  } catch {
    return hostname()
  }
}

/** The 22nd field of /proc/<pid>/stat (proc_pid_stat(5)), counted behind the name, which may have anything in it. */
const startOf = (pid: number): string => {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  } catch {
    return ''
  }
}
