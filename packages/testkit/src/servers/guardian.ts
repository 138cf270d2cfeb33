import { type ChildProcess, spawn } from 'node:child_process'

/** Reads what is running until the process that tells it is gone, however it went; then ends the rest and removes its folders. */
const SCRIPT = `
running=''
while read -r what value; do
  case "$what" in
    run) running="$running $value" ;;
    ended) left=''; for pid in $running; do [ "$pid" = "$value" ] || left="$left $pid"; done; running=$left ;;
    folder) set -- "$@" "$value" ;;
  esac
done
for pid in $running; do kill -9 "$pid"; done
[ $# -eq 0 ] || rm -rf -- "$@"
`

let child: ChildProcess | undefined

const tell = (line: string): void => {
  if (!child) {
    // Of a group of its own, so that Ctrl-C in a terminal does not end it before it has done its work.
    child = spawn('/bin/sh', ['-c', SCRIPT], { stdio: ['pipe', 'ignore', 'ignore'], detached: true })
    child.unref()
    const input = child.stdin as NonNullable<typeof child.stdin> & { unref?: () => void }
    input.unref?.()
    input.on('error', () => {})
  }
  child.stdin?.write(`${line}\n`)
}

/** Sees to it that servers and their folders go when this process ends, even by SIGKILL. */
export const guardian = {
  running: (pid: number): void => tell(`run ${pid}`),
  ended: (pid: number): void => tell(`ended ${pid}`),
  folder: (path: string): void => tell(`folder ${path}`),
}
