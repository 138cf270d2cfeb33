import { styleText } from 'node:util'

/** Says where the demo is, to whoever has started it. */
export const announce = (urls: readonly string[]): void => {
  console.log(`
  ${styleText('bold', 'Fusewire')} is live. Open the demo in two tabs:

${urls.map((url) => `    ${styleText(['bold', 'cyan'], url)}`).join('\n')}

  ${styleText('dim', 'The certificate was made on this machine, so your browser will ask whether to trust it.')}
  ${styleText('dim', 'Development mode: only this machine can reach it. Ctrl-C ends it.')}
`)
}
