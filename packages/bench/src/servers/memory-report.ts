/** Loaded into every server that is measured: collects the garbage and prints the memory that is left, whenever SIGUSR2 asks. */
const report = (): void => {
  for (let times = 0; times < 4; times++) globalThis.gc?.()
  const { rss, heapUsed, external } = process.memoryUsage()
  console.log(`memory=${JSON.stringify({ rss, heap: heapUsed + external })}`)
}

process.on('SIGUSR2', report)
