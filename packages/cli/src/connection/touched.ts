import { z } from 'zod'
import type { Terminal } from '../terminal.ts'

/** What the API answers to a command about sessions. */
export const touched = z.object({ sessions: z.number(), unreachable: z.array(z.string()).optional() })

/** Prints it: `said` puts the number of sessions into words. */
export const printTouched = (answer: unknown, terminal: Terminal, said: (sessions: string) => string): void => {
  const { sessions, unreachable } = touched.parse(answer)
  if (!terminal.interactive) terminal.print(JSON.stringify({ sessions, ...(unreachable && { unreachable }) }))
  else terminal.print(said(`${sessions} ${sessions === 1 ? 'session' : 'sessions'}`))
  if (!unreachable) return
  terminal.note(
    terminal.noteColors.yellow(
      `No answer from ${unreachable.join(', ')}: nobody knows whether it was done there. Ask again, or look at fusewire info.`,
    ),
  )
}
