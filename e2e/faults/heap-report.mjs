/** For `node --expose-gc --import`: SIGUSR2 says how much is on the heap that is still in use, in bytes. */
process.on('SIGUSR2', () => {
  for (let pass = 0; pass < 3; pass++) globalThis.gc()
  console.error(`heap in use: ${process.memoryUsage().heapUsed}`)
})
