const READ_PROBLEMS: Readonly<Record<string, string>> = {
  EISDIR: 'is a folder; give the path of the file in it',
  EACCES: 'may not be read by this user; change its owner or mode',
}

const WRITE_PROBLEMS: Readonly<Record<string, string>> = {
  ENOENT: 'cannot be written: its folder does not exist; make it, or correct the path',
  EISDIR: 'is a folder; give the path of the file in it',
  EACCES: 'may not be written by this user; change the owner or mode of its folder',
}

const codeOf = (error: unknown): string => (error instanceof Error && 'code' in error ? String(error.code) : String(error))

/** Why a file cannot be read, in words that follow its path; with what to do where it does not exist. */
export const readProblem = (error: unknown, whereMissing: string): string => {
  const code = codeOf(error)
  return code === 'ENOENT' ? `does not exist; ${whereMissing}` : (READ_PROBLEMS[code] ?? `cannot be read (${code})`)
}

/** Why a file cannot be written, in words that follow its path. */
export const writeProblem = (error: unknown): string => {
  const code = codeOf(error)
  return WRITE_PROBLEMS[code] ?? `cannot be written (${code})`
}
